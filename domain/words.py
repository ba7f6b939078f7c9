"""Suggestions for misspelt words."""

import difflib
import re
from collections.abc import Iterable
from itertools import islice

_COMPARED = 300
_LONGEST = 64
# A word of this length is taken for the beginning of another one.
_BEGINNING = 4


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, None if there is none; compares a bounded number of bounded words."""
    if len(word) > _LONGEST:
        return None
    compared = list(islice(known, _COMPARED))
    near = [candidate for candidate in compared if abs(len(candidate) - len(word)) <= max(2, len(word) // 2)]
    found = difflib.get_close_matches(word.lower(), near, n=1, cutoff=0.6)
    if found or len(word) < _BEGINNING:
        return found[0] if found else None
    return next((candidate for candidate in compared if candidate.startswith(word)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known word, or an empty text."""
    close = nearest(word, known)
    return f"did you mean `{close}`?" if close else ""


def no_such(noun: str, word: str, known: Iterable[str]) -> str:
    """Return the message that there is no `noun` of that name, with the nearest one."""
    hint = did_you_mean(word, known)
    return f"there is no {noun} {word[:80]!r}" + (f"; {hint}" if hint else "")


_MEANT = re.compile(r"did you mean (?P<quote>[`'\"])(?P<word>.+?)(?P=quote)\?")


def meant_in(hint: str) -> str | None:
    """Return the word that a hint proposes with *did you mean*; None if it proposes none."""
    found = _MEANT.search(hint)
    return None if found is None else found["word"]


def labelled(label: str, message: str) -> str:
    """Return ``label: message``; a message that begins with the label stays as it is."""
    begins = message.startswith(label) and not message[len(label) : len(label) + 1].isalnum()
    return message if begins else f"{label}: {message}"


def is_slip(word: str, known: str) -> bool:
    """Return whether `word` is `known` misspelt: within two edits, within one for words of under five letters."""
    most = 1 if len(word) < 5 else 2
    if word == known or abs(len(word) - len(known)) > most or max(len(word), len(known)) > _LONGEST:
        return False
    # An edit changes at most two of the letters that only one of the words has: most words differ by more.
    if len(set(word) ^ set(known)) > 2 * most:
        return False
    row = list(range(len(known) + 1))
    for at, letter in enumerate(word, 1):
        before, row[0] = row[0], at
        for place, other in enumerate(known, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (letter != other))
        if min(row) > most:
            return False
    return row[-1] <= most


def slip_of(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` is a slip of; None if it is none."""
    return next((candidate for candidate in islice(known, _COMPARED) if is_slip(word, candidate)), None)
