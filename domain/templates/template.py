"""A template: a process with typed parameters in it, as its document states it."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.jsonvalue import JsonValue
from domain.refusal import Problem
from domain.templates.parameters import DeclaredParameters


@dataclass(frozen=True, slots=True)
class Template:
    """A template that can be used.

    name_id: its name inside its source, as ``content-review``. version: of a bundled template; others are counted by
    the log. engine: the versions of the platform that run it. samples: answers that give a valid definition.
    process_text: the definition's text, with placeholders.
    """

    name_id: str
    name: str
    description: str
    tags: tuple[str, ...]
    category: str | None
    engine: str | None
    version: int
    parameters: DeclaredParameters
    samples: tuple[Mapping[str, JsonValue], ...]
    process_text: str


@dataclass(frozen=True, slots=True)
class TemplateReading:
    """The result of reading a document. template: None when there is an error. problems: of every severity, located."""

    template: Template | None
    problems: tuple[Problem, ...]
