"""The changes that an edit makes to a document: to a value, to a key of an object, to an item of a list."""

import copy
from dataclasses import dataclass
from typing import Any, TypeAlias

from domain.jsonvalue import JsonValue
from domain.refusal import Refusal

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys and numbers that lead from the root to a value, as ``("steps", 2, "agent")``."""


class EditRefused(Refusal):
    """The text cannot be changed in this way, and is as it was; the message gives the reason."""

    code = "edit_refused"


@dataclass(frozen=True, slots=True)
class ReplaceValue:
    """Puts `value` in the place of the value at `path`."""

    path: KeyPath
    value: JsonValue


@dataclass(frozen=True, slots=True)
class InsertKey:
    """Adds `key` with `value` to the object at `path`, after its other keys."""

    path: KeyPath
    key: str
    value: JsonValue


@dataclass(frozen=True, slots=True)
class RemoveKey:
    """Removes the key that `path` ends with, and its value."""

    path: KeyPath


@dataclass(frozen=True, slots=True)
class RenameKey:
    """Gives the key that `path` ends with the name `key`."""

    path: KeyPath
    key: str


@dataclass(frozen=True, slots=True)
class AppendItems:
    """Adds `values` to the list at `path`, after its other items."""

    path: KeyPath
    values: tuple[JsonValue, ...]


@dataclass(frozen=True, slots=True)
class RemoveItem:
    """Removes the item that `path` ends with from a list of several."""

    path: KeyPath


TextChange: TypeAlias = ReplaceValue | InsertKey | RemoveKey | RenameKey | AppendItems | RemoveItem


def changed(document: JsonValue, *changes: TextChange) -> JsonValue:
    """Return the document after changes, in order. Raises EditRefused where one has no place in it."""
    document = copy.deepcopy(document)
    for change in changes:
        _change(document, change)
    return document


def _change(document: JsonValue, change: TextChange) -> None:
    if isinstance(change, InsertKey):
        target = _at(document, change.path)
        if not isinstance(target, dict) or change.key in target:
            raise EditRefused("a key is added to an object that does not have it")
        target[change.key] = change.value
        return
    if isinstance(change, AppendItems):
        target = _at(document, change.path)
        if not isinstance(target, list):
            raise EditRefused("an item is added to a list")
        target.extend(change.values)
        return
    if not change.path:
        raise EditRefused("the whole document is not replaced by an edit")
    holder, last = _at(document, change.path[:-1]), change.path[-1]
    _at(holder, (last,))
    if isinstance(change, ReplaceValue):
        holder[last] = change.value
        return
    if isinstance(change, RemoveItem):
        if not isinstance(holder, list) or not isinstance(last, int) or len(holder) < 2:
            raise EditRefused("an item is removed from a list of several")
        del holder[last]
        return
    _change_key(holder, last, change)


def _change_key(holder: Any, last: str | int, change: RemoveKey | RenameKey) -> None:
    if not isinstance(holder, dict):
        raise EditRefused("keys are those of an object")
    if isinstance(change, RemoveKey):
        del holder[last]
        return
    if change.key in holder:
        raise EditRefused(f"the key `{change.key[:60]}` is there already")
    entries = {change.key if key == last else key: value for key, value in holder.items()}
    holder.clear()
    holder.update(entries)


def _at(document: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            raise EditRefused(f"there is no `{str(part)[:60]}` at this place") from None
    return document
