"""Times and points of the log, as a request or the command line states them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from queries.paging import LARGEST

# A + that was not escaped arrives as a blank.
_UNESCAPED_OFFSET = re.compile(r"(T[0-9:.]+) (\d\d:?\d\d)$")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)


def parse_instant(text: Any) -> datetime:
    """Return the aware UTC time that `text` names in ISO 8601, with an offset. Raises ValueError."""
    written = _UNESCAPED_OFFSET.sub(r"\1+\2", str(text))
    message = "a time is written as 2026-01-31T09:00:00Z, with an offset"
    if not _INSTANT.fullmatch(written):
        raise ValueError(message)
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(message) from None


def parse_point(text: Any) -> int | datetime:
    """Return the position in the log, or the instant, that `text` names. Raises ValueError."""
    written = str(text)
    if written.isascii() and written.isdigit() and len(written) <= 19 and int(written) <= LARGEST:
        return int(written)
    try:
        return parse_instant(written)
    except ValueError:
        raise ValueError("a point is a position in the log, or a time such as 2026-01-31T09:00:00Z") from None


def later(instant: datetime, span: timedelta) -> datetime:
    """Return the instant `span` after another; where the years end before it, the last that there is."""
    try:
        return instant + span
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
