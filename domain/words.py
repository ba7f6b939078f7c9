"""Finding the word somebody meant."""

import difflib
from collections.abc import Iterable

_COMPARED = 300
_LONGEST = 64


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, None when none is; looks at a bounded number of words of bounded length."""
    if len(word) > _LONGEST:
        return None
    near = [candidate for candidate in known if abs(len(candidate) - len(word)) <= max(2, len(word) // 2)]
    found = difflib.get_close_matches(word.lower(), near[:_COMPARED], n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known word, or nothing."""
    close = nearest(word, known)
    return f"did you mean `{close}`?" if close else ""
