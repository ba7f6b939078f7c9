"""Secrets in a document: found by their form and by the name of their key, never repeated."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from domain.agents.secret_names import is_own
from domain.jsonvalue import JsonValue
from domain.language.editing.changes import KeyPath
from domain.templates.paths import written_path
from domain.templates.secret_names import is_literal_secret, is_secret_key, seems_random
from domain.templates.secret_patterns import secrets_in_text

BY_NAME = "by_name"
IN_KEY = "in_key"
# Keys that hold an example of what the key above them names.
_EXAMPLES = ("default", "value", "example")
# The name of a header or variable beside its value.
_NAMING = ("name", "key", "header")
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A secret of a document, without its text.

    keys: the way to the value that holds it; path: the same as text. kind: of secret, `by_name` for one that its key
    names, `in_key` for one that is part of a key. reference: a name for the variable that may hold it; one secret in
    several places has one. start, end: its characters in the value.
    """

    keys: KeyPath
    kind: str
    reference: str
    start: int = 0
    end: int = 0

    @property
    def path(self) -> str:
        """The way to the value, as ``steps[2].parameters.api_key``."""
        return written_path(self.keys)


def find_secrets(document: JsonValue) -> tuple[FoundSecret, ...]:
    """Return every secret in the values and keys of a document."""
    taken: dict[str, int] = {}
    references: dict[str, str] = {}
    found: list[FoundSecret] = []
    for keys, value, name in _values(document, (), None):
        for kind, start, end in _spans(value, name):
            itself = str(name if value is None else value)[start:end]
            if itself not in references:
                references[itself] = _reference(name if kind == BY_NAME and name else kind, taken)
            reference = references[itself]
            found.append(FoundSecret(keys, IN_KEY if value is None else kind, reference, start, end))
    return tuple(found)


def random_texts(document: JsonValue) -> tuple[str, ...]:
    """Return the paths of texts that may be secrets of an unknown kind: a hint, not a finding."""
    found = {each.keys for each in find_secrets(document)}
    values = _values(document, (), None)
    return tuple(
        written_path(keys)
        for keys, value, _ in values
        if isinstance(value, str) and keys not in found and seems_random(value)
    )


def _spans(value: JsonValue, name: str | None) -> list[tuple[str, int, int]]:
    """Return kind, start and end of each secret in a value. A value of None stands for a key: its name is searched."""
    if value is None:
        return [(found.kind, found.start, found.end) for found in secrets_in_text(name or "")]
    if name is not None and is_secret_key(name) and is_literal_secret(name, value):
        return [(BY_NAME, 0, len(str(value)))]
    if not isinstance(value, str):
        return []
    return [(found.kind, found.start, found.end) for found in secrets_in_text(value)]


def _values(value: JsonValue, keys: KeyPath, name: str | None) -> Iterator[tuple[KeyPath, JsonValue, str | None]]:
    """Return each scalar with the key that names it, and each key with None for a value."""
    if isinstance(value, dict):
        named = next((each for key in _NAMING if isinstance(each := value.get(key), str)), None)
        for key, item in value.items():
            yield (*keys, key), None, key
            under = named if key == "value" and named is not None else name if key in _EXAMPLES else key
            yield from _values(item, (*keys, key), under)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _values(item, (*keys, number), name)
    elif value is not None:
        yield keys, value, name


def _reference(text: str, taken: dict[str, int]) -> str:
    """Return a name for a variable that is not taken yet. taken: how often each name was needed."""
    name = _NO_NAME.sub("_", text).strip("_").upper()[:60] or "SECRET"
    name = f"SECRET_{name}" if name[0].isdigit() or is_own(name) else name
    taken[name] = number = taken.get(name, 0) + 1
    return name if number == 1 else f"{name}__{number}"
