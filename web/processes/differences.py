"""The difference between two versions of a process: lines of the text, and steps."""

import difflib
from typing import Any

import msgspec

# Beyond this many lines between the first and the last difference, both texts stand whole: a comparison takes long.
MOST_LINES = 1_000
CONTEXT = 3


class DifferingLine(msgspec.Struct, frozen=True):
    """A line of a difference. sign: ``-`` only before, ``+`` only after, blank in both, ``…`` for lines left out."""

    sign: str
    text: str


class StepNotes(msgspec.Struct, frozen=True):
    """What differs on the steps of each side, by id: ``only here`` or ``changed``."""

    before: dict[str, str]
    after: dict[str, str]


def differing_lines(before: str, after: str) -> list[DifferingLine]:
    """Return the lines that differ, with CONTEXT lines around; none for equal texts."""
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        return []
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    begin = max(0, first - CONTEXT)
    around = [DifferingLine("…", "")] if begin else []
    around += [DifferingLine(" ", line) for line in old[begin:first]]
    after_it = old[len(old) - last : len(old) - last + CONTEXT]
    end = [DifferingLine(" ", line) for line in after_it]
    end += [DifferingLine("…", "")] if last > CONTEXT else []
    return [*around, *_middle(old[first : len(old) - last], new[first : len(new) - last]), *end]


def step_notes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> StepNotes:
    """Return which steps are only on one side, and which have changed."""
    old, new = ({step["id"]: step for step in steps} for steps in (before, after))
    notes = StepNotes({}, {})
    for id, step in old.items():
        if id not in new:
            notes.before[id] = "only here"
        elif new[id] != step:
            notes.before[id] = notes.after[id] = "changed"
    notes.after.update(dict.fromkeys(new.keys() - old.keys(), "only here"))
    return notes


def _middle(old: list[str], new: list[str]) -> list[DifferingLine]:
    if len(old) > MOST_LINES or len(new) > MOST_LINES:
        return [*(DifferingLine("-", line) for line in old), *(DifferingLine("+", line) for line in new)]
    lines: list[DifferingLine] = []
    groups = difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT)
    for place, group in enumerate(groups):
        if place:
            lines.append(DifferingLine("…", ""))
        for tag, i, j, k, m in group:
            if tag == "equal":
                lines += [DifferingLine(" ", line) for line in old[i:j]]
            else:
                lines += [DifferingLine("-", line) for line in old[i:j]]
                lines += [DifferingLine("+", line) for line in new[k:m]]
    return lines
