"""Merges three texts of one process: by the old version of a template, by the new one, and the present one."""

import json
from dataclasses import dataclass

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import (
    AppendItems,
    EditRefused,
    InsertKey,
    KeyPath,
    RemoveItem,
    RemoveKey,
    ReplaceValue,
    TextChange,
)
from domain.language.editing.edits import document_of, edited, edited_together
from domain.templates.differences import (
    MOST,
    NO_VALUE,
    Label,
    NoValue,
    Side,
    ValueDifference,
    differences,
    label,
    members,
    shown,
)


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A place that the new version and a person changed differently. Each side as JSON, None for no value."""

    path: str
    before: str | None
    by_template: str | None
    by_hand: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """The changes of two sides since the old version.

    by_template: those of the new version. by_hand: those of the present text. conflicts: places that both changed;
    there the text keeps the present value. text: the present text with all other changes of the template, comments and
    layout kept; None where the layout leaves no place for one of them.
    """

    by_template: tuple[ValueDifference, ...]
    by_hand: tuple[ValueDifference, ...]
    conflicts: tuple[MergeConflict, ...]
    text: str | None


def merge(old: str, new: str, present: str) -> Merged:
    """Return what changed between three texts of a process. Raises EditRefused for a text that cannot be read."""
    before, template, hand = (document_of(text) for text in (old, new, present))
    merging = _Merging()
    merging.visit(before, template, hand, (), ())
    return Merged(
        differences(before, template),
        differences(before, hand),
        tuple(merging.conflicts[:MOST]),
        merging.applied(present),
    )


class _Merging:
    """Goes through the three documents together. Places are those of the present one."""

    def __init__(self) -> None:
        self.conflicts: list[MergeConflict] = []
        self._changes: list[TextChange] = []
        self._removals: list[RemoveItem] = []

    def visit(self, before: Side, template: Side, hand: Side, keys: Label, place: KeyPath) -> None:
        """Note the change of the template at a place, or the conflict."""
        if _same(before, template) or _same(template, hand):
            return
        three = members(before, template, hand)
        if three is not None:
            inside = self._visit_members if isinstance(hand, dict) else self._visit_items
            inside(three, keys, place)
        elif not _same(before, hand):
            self.conflicts.append(MergeConflict(label(keys), shown(before), shown(template), shown(hand)))
        elif not isinstance(template, NoValue):
            self._changes.append(ReplaceValue(place, template))

    def applied(self, text: str) -> str | None:
        """Return the text after the changes."""
        if len(self._changes) + len(self._removals) > MOST:
            return None
        try:
            text = edited_together(text, self._changes)
            # From the end, so that the numbers of items before stay right.
            for removal in sorted(self._removals, key=lambda each: _order(each.path), reverse=True):
                text = edited(text, removal)
        except EditRefused:
            return None
        return text

    def _visit_members(self, three: list[dict[str, JsonValue]], keys: Label, place: KeyPath) -> None:
        before, template, hand = three
        for key in dict.fromkeys((*before, *template, *hand)):
            sides = (before.get(key, NO_VALUE), template.get(key, NO_VALUE), hand.get(key, NO_VALUE))
            if self._is_settled(*sides, (*keys, key)):
                continue
            if key not in hand:
                self._changes.append(InsertKey(place, key, template[key]))
            elif key not in template:
                self._changes.append(RemoveKey((*place, key)))
            else:
                self.visit(*sides, (*keys, key), (*place, key))

    def _visit_items(self, three: list[dict[str, JsonValue]], keys: Label, place: KeyPath) -> None:
        before, template, hand = three
        numbers = {name: number for number, name in enumerate(hand)}
        added: list[JsonValue] = []
        for name in dict.fromkeys((*before, *template, *hand)):
            sides = (before.get(name, NO_VALUE), template.get(name, NO_VALUE), hand.get(name, NO_VALUE))
            if self._is_settled(*sides, (*keys, name)):
                continue
            if name not in hand:
                added.append(template[name])
            elif name not in template:
                self._removals.append(RemoveItem((*place, numbers[name])))
            else:
                self.visit(*sides, (*keys, name), (*place, numbers[name]))
        if added:
            self._changes.append(AppendItems(place, tuple(added)))

    def _is_settled(self, before: Side, template: Side, hand: Side, keys: Label) -> bool:
        """Return whether nothing is to be done for a member: no change of the template, or a conflict, now noted."""
        if _same(before, template) or _same(template, hand):
            return True
        one_is_missing = any(isinstance(side, NoValue) for side in (before, template, hand))
        if one_is_missing and not _same(before, hand):
            self.conflicts.append(MergeConflict(label(keys), shown(before), shown(template), shown(hand)))
            return True
        return False


def _order(path: KeyPath) -> tuple[tuple[bool, str | int], ...]:
    return tuple((isinstance(part, str), part) for part in path)


def _same(left: Side, right: Side) -> bool:
    if isinstance(left, NoValue) or isinstance(right, NoValue):
        return left is right
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
