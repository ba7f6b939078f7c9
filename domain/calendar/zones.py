"""Instants as people write them: with an offset, or as a local time with a zone."""

import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones, reset_tzpath

import tzdata

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,3}", re.ASCII)
_TIME = re.compile(r"\d{4}-?\d{2}-?\d{2}[T ]\d{2}", re.ASCII)
_EXAMPLES = "a time is written like 2026-01-31T09:00:00Z, or without an offset beside a timezone"

# The zones of the pinned package count, not those of the system, which differ from one machine to the next.
reset_tzpath(())
_LINK = re.compile(r"L (\S+) (\S+)")


def parse_zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name. Raises ValueError with a message for people when there is none."""
    if len(name) <= 64 and _NAME.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a name that is no zone may still be a file or a folder
            pass
    raise ValueError(f"there is no time zone {name[:64]!r}; a zone is written like Europe/Berlin or UTC")


# Abbreviations that people write, and the zone that each stands for in most places.
_NEW_YORK, _CHICAGO, _DENVER, _LOS_ANGELES = (
    f"America/{city}" for city in ("New_York", "Chicago", "Denver", "Los_Angeles")
)
_MEANT = {
    **dict.fromkeys(("EST", "EDT", "EST5EDT"), _NEW_YORK),
    **dict.fromkeys(("CST", "CDT", "CST6CDT"), _CHICAGO),
    **dict.fromkeys(("MST", "MDT", "MST7MDT"), _DENVER),
    **dict.fromkeys(("PST", "PDT", "PST8PDT"), _LOS_ANGELES),
    **dict.fromkeys(("CET", "CEST", "MET", "MEST", "MEZ", "MESZ"), "Europe/Berlin"),
    **dict.fromkeys(("EET", "EEST"), "Europe/Helsinki"),
    **dict.fromkeys(("WET", "WEST"), "Europe/Lisbon"),
    **dict.fromkeys(("GMT0", "GMT+0", "GMT-0", "UCT", "ZULU", "Z"), "UTC"),
    "HST": "Pacific/Honolulu",
    "AKST": "America/Anchorage",
    "BST": "Europe/London",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "MSK": "Europe/Moscow",
    "SGT": "Asia/Singapore",
    "AEST": "Australia/Sydney",
    "NZST": "Pacific/Auckland",
}
# Entries of the database that are no place: they depend on the machine, or count seconds otherwise.
_NO_PLACE = re.compile(r"(?:posix|right)/.*|Factory|localtime|posixrules")
_OFFSET = re.compile(r"Etc/GMT([+-])(\d{1,2})")


def zone_meant(name: str) -> str | None:
    """Return the zone that an abbreviation stands for in most places; None for any other text."""
    return _MEANT.get(name.upper())


def zone_objection(name: str) -> str | None:
    """Return why a text that is read may not name a zone so, though the database has that name; None if it may.

    Abbreviations have no summer time, or another one, or stand for several zones. Stored versions keep theirs.
    """
    if zone_meant(name) is not None:
        return f"{name} is an abbreviation, not a time zone"
    if _NO_PLACE.fullmatch(name):
        return f"{name} is not a time zone of a place"
    return None


def read_zone(name: str) -> ZoneInfo:
    """Return the zone that a text names which is read now. Raises ValueError also for names that only stored ones have.

    A name that a stored text has goes through `parse_zone`.
    """
    if (objection := zone_objection(name)) is not None:
        raise ValueError(f"{objection}; write a zone such as {zone_meant(name) or 'Europe/Berlin'}")
    return parse_zone(name)


def inverted_offset(name: str) -> str | None:
    """Return what a zone of the form ``Etc/GMT+5`` means: its sign is the opposite of the one it shows."""
    found = _OFFSET.fullmatch(name)
    if found is None or int(found[2]) == 0:
        return None
    return f"{name} is {int(found[2])} hours {'behind' if found[1] == '+' else 'ahead of'} UTC"


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all zones known on this system."""
    return frozenset(available_timezones())


def tzdata_version() -> str:
    """Return the edition of the zone data, such as 2026a."""
    version: str = tzdata.IANA_VERSION
    return version


def canonical_zone(name: str) -> str:
    """Return the name that a zone has today: America/Los_Angeles for US/Pacific."""
    return _links().get(name, name)


@cache
def _links() -> dict[str, str]:
    """Return the older names of zones, each with the present one."""
    source = files("tzdata").joinpath("zoneinfo/tzdata.zi").read_text(encoding="ascii")
    return {older: name for name, older in _LINK.findall(source)}


def parse_time(text: str) -> datetime:
    """Return a date and time of day in ISO 8601, aware when it has an offset. Raises ValueError for any other text."""
    written = text.strip()
    if len(written) > 64 or not _TIME.match(written):
        raise ValueError(_EXAMPLES)
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(_EXAMPLES) from None


def instant_of(time: datetime, zone: ZoneInfo | None) -> datetime:
    """Return the instant in UTC; `zone` gives the meaning of a time without an offset.

    In a gap, the result lies as long after the gap as the time lies in it; of an overlap, the result is the first time.
    Raises ValueError when there is neither an offset nor a zone, or the instant is outside of the years 1 to 9999.
    """
    if time.tzinfo is None:
        if zone is None:
            raise ValueError("a time without an offset needs a timezone beside it")
        time = time.replace(tzinfo=zone, fold=0)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time lies in the years 1 to 9999") from None
