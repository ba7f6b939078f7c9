"""The spellings of the days of the week, and the canonical one of each field."""

from domain.calendar.times import WEEKDAYS
from domain.language.reading.nodes import Node, Scalar, text_of
from domain.language.reading.problems import Problems

# By another spelling, the canonical one.
SHORT = {name: name[:3] for name in WEEKDAYS}
IN_FULL = {name[:3]: name for name in WEEKDAYS}


def respell_weekday(node: Node | None, words: dict[str, str], problems: Problems) -> None:
    """Rewrite `Monday` as `mon`, or the other way round; any other word stays, and its reader reports it."""
    written = text_of(node)
    if not isinstance(node, Scalar) or written is None or written in words.values():
        return
    canonical = words.get(written.lower(), written.lower())
    if canonical in words.values():
        problems.add("alias", f"`{written}` is read as `{canonical}`", node, severity="notice")
        node.value = canonical
