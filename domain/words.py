"""Suggestions for misspelt words."""

import difflib
from collections.abc import Iterable

_COMPARED = 300
_LONGEST = 64


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, None if there is none; compares a bounded number of bounded words."""
    if len(word) > _LONGEST:
        return None
    near = [candidate for candidate in known if abs(len(candidate) - len(word)) <= max(2, len(word) // 2)]
    found = difflib.get_close_matches(word.lower(), near[:_COMPARED], n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known word, or an empty text."""
    close = nearest(word, known)
    return f"did you mean `{close}`?" if close else ""
