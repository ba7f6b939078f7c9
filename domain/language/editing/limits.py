"""A cost limit written into the text of a definition, whose comments and layout stay."""

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import EditRefused, InsertKey, RemoveKey, ReplaceValue, TextChange
from domain.language.editing.edits import document_of, edited

WrittenLimit = dict[str, str | float]
"""The keys of a level with their values, as they are written."""


def limited(source: str, kind: str, level: WrittenLimit) -> str:
    """Return the text with a level in place of those of its kind. Raises EditRefused."""
    for change in _changes(document_of(source), kind, level):
        source = edited(source, change)
    return source


def _changes(document: JsonValue, kind: str, level: WrittenLimit) -> list[TextChange]:
    written: dict[str, JsonValue] = {**level}
    if not isinstance(document, dict):
        raise EditRefused("the text is no definition")
    costs = document.get("costs")
    if "costs" not in document:
        return [InsertKey((), "costs", {kind: written})]
    if not isinstance(costs, dict):
        return [ReplaceValue(("costs",), {kind: written})]
    if kind not in costs:
        return [InsertKey(("costs",), kind, written)]
    found = costs[kind]
    if not isinstance(found, dict):
        return [ReplaceValue(("costs", kind), written)]
    at = ("costs", kind)
    changes: list[TextChange] = [RemoveKey((*at, key)) for key in found if key not in written]
    for key, value in written.items():
        if key not in found:
            changes.append(InsertKey(at, key, value))
        elif found[key] != value:
            changes.append(ReplaceValue((*at, key), value))
    return changes
