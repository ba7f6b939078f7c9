"""Zones that a text may not name, though stored versions may: abbreviations, and entries that are no place."""

from collections.abc import Iterator

from domain.calendar.zones import inverted_offset, parse_zone, zone_meant, zone_objection
from domain.language.reading.nodes import Mapping, Node, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import all_steps


def check_zones(root: Mapping, problems: Problems) -> None:
    """Note each zone by an abbreviation such as EST, and each one whose sign says the opposite."""
    for node in _zones(root):
        name = text_of(node)
        if name is None or not _is_known(name):
            continue  # an unknown zone is reported at its own location
        if (objection := zone_objection(name)) is not None:
            meant = zone_meant(name) or "Europe/Berlin or UTC"
            problems.add("unknown_timezone", f"`timezone`: {objection}", node, hint=f"write a zone such as {meant}")
        elif (meaning := inverted_offset(name)) is not None:
            hint = "a zone of a place, such as Europe/Berlin, has its summer time too"
            problems.add("inverted_offset", f"`timezone`: {meaning}", node, hint=hint, severity="warning")


def _zones(root: Mapping) -> Iterator[Node]:
    """Yield every `timezone` of triggers, steps and limits."""
    triggers = root.entries.get("triggers")
    for part in (*(triggers.items if isinstance(triggers, Sequence) else ()), *all_steps(root)):
        yield from _zone_in(part)
    yield from _zone_in(root.entries.get("costs"))


def _zone_in(part: Node | None) -> Iterator[Node]:
    if isinstance(part, Mapping) and "timezone" in part.entries:
        yield part.entries["timezone"]


def _is_known(name: str) -> bool:
    try:
        parse_zone(name)
    except ValueError:
        return False
    return True
