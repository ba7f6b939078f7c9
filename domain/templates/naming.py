"""The name of a process in a template's text, also in the placeholders of older engines, ``{{name}}``."""

import re

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import InsertKey, ReplaceValue, TextChange

# At the root of a definition, outside of what runs.
_OLDER = re.compile(r"\{\{\s{0,20}(?:process_)?name\s{0,20}\}\}")
_TEXTS = ("description", "owner", "version", "labels")


def has_older(value: JsonValue) -> bool:
    """Return whether a value is a text with a placeholder of older engines."""
    return isinstance(value, str) and _OLDER.search(value) is not None


def naming_changes(document: JsonValue, name: str | None) -> list[TextChange]:
    """Return the changes that give a definition its name. name: None keeps the one that it has."""
    if not isinstance(document, dict):
        return []
    stated = document.get("name")
    if name is None:
        if not isinstance(stated, str) or has_older(stated):
            return []
        name = stated
    changes: list[TextChange] = []
    if "name" not in document:
        changes.append(InsertKey((), "name", name))
    elif stated != name:
        changes.append(ReplaceValue(("name",), name))
    for key in _TEXTS:
        text = document.get(key)
        if isinstance(text, str) and _OLDER.search(text):
            changes.append(ReplaceValue((key,), _named(text, name)))
    labels = document.get("labels")
    for number, label in enumerate(labels if isinstance(labels, list) else []):
        if isinstance(label, str) and _OLDER.search(label):
            changes.append(ReplaceValue(("labels", number), _named(label, name)))
    return changes


def _named(text: str, name: str) -> str:
    return _OLDER.sub(lambda _: name, text)
