"""Reads the simple fields of a template's document: text, flags and lists of text, each mistake located."""

from collections.abc import Collection

from domain.language.reading.nodes import Mapping, Scalar, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.keys import note_unknown_key

LONGEST_LINE = 200
LONGEST_PROSE = 10_000


def checked_keys(node: Mapping, known: Collection[str], problems: Problems) -> None:
    """Note each key that is none of the known ones."""
    for key in node.entries:
        if key not in known:
            note_unknown_key(key, node.keys[key], known, problems)


def line_in(node: Mapping, field: str, problems: Problems) -> str | None:
    """Return the text of a field, of at most 200 characters; None without one."""
    return _text(node, field, LONGEST_LINE, problems)


def prose_in(node: Mapping, field: str, problems: Problems) -> str | None:
    """Return the text of a field, of at most 10,000 characters; None without one."""
    return _text(node, field, LONGEST_PROSE, problems)


def flag_in(node: Mapping, field: str, problems: Problems) -> bool | None:
    """Return true or false as a field states it; None where it does not."""
    stated = node.entries.get(field)
    if stated is None:
        return None
    if isinstance(stated, Scalar) and isinstance(stated.value, bool):
        return stated.value
    problems.add("wrong_type", f"`{field}` is true or false", stated)
    return None


def lines_in(node: Mapping, field: str, most: int, problems: Problems) -> tuple[str, ...]:
    """Return the texts of a list; one text alone is a list of it."""
    stated = node.entries.get(field)
    if stated is None:
        return ()
    items = stated.items if isinstance(stated, Sequence) else [stated]
    found = [text for item in items if (text := text_of(item)) is not None and 0 < len(text) <= LONGEST_LINE]
    if len(found) != len(items) or len(items) > most:
        message = f"`{field}` is a list of at most {most} texts of at most {LONGEST_LINE} characters"
        problems.add("wrong_type", message, stated)
    return tuple(dict.fromkeys(found))[:most]


def _text(node: Mapping, field: str, longest: int, problems: Problems) -> str | None:
    stated = node.entries.get(field)
    if stated is None or (isinstance(stated, Scalar) and stated.value is None):
        return None
    text = text_of(stated)
    if text is None or not 0 < len(text) <= longest:
        problems.add("wrong_type", f"`{field}` is a text of 1 to {longest} characters", stated)
        return None
    return text
