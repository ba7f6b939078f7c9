"""Days of the week as people write them, as the language spells them where they stand."""

from domain.calendar.times import WEEKDAYS
from domain.language.reading.nodes import Node, Scalar, text_of
from domain.language.reading.problems import Problems

# By another spelling, the canonical one.
SHORT = {name: name[:3] for name in WEEKDAYS}
IN_FULL = {name[:3]: name for name in WEEKDAYS}


def respell_weekday(node: Node | None, words: dict[str, str], problems: Problems) -> None:
    """`Monday` as `mon`, or the other way round; what is no day stays, to be told of where it is read."""
    written = text_of(node)
    if not isinstance(node, Scalar) or written is None or written in words.values():
        return
    canonical = words.get(written.lower(), written.lower())
    if canonical in words.values():
        problems.add("alias", f"`{written}` is read as `{canonical}`", node, severity="notice")
        node.value = canonical
