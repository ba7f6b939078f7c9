"""Parameters of a template: their declaration, a subset of JSON Schema with types of the platform's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.jsonvalue import JsonValue
from domain.language.types.parts import ABSENT, Absent

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
TYPES = (
    "string",
    "number",
    "integer",
    "boolean",
    "enum",
    "array",
    "object",
    "duration",
    "cron",
    "timezone",
    "agent",
    "process",
    "secret",
    "money",
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as declared.

    default: ABSENT without one. required: stated, or else whether there is no default. minimum, maximum: of a number,
    of an amount, of a length of time, or of the number of characters or items. pattern: found anywhere in the text.
    items: the type of each item of an array. when: a condition over the parameters declared before, without which the
    parameter does not count.
    """

    type: str
    title: str | None = None
    description: str | None = None
    default: "JsonValue | Absent" = ABSENT
    required: bool = True
    enum: "tuple[JsonValue, ...] | None" = None
    minimum: JsonValue = None
    maximum: JsonValue = None
    pattern: str | None = None
    items: str | None = None
    when: str | None = None


DeclaredParameters = Mapping[str, Parameter]
"""The parameters of a template by name, in the order of their declaration."""
