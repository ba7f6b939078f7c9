"""The wait that an agent requests: the ``Retry-After`` header (RFC 9110, section 10.2.3)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=1)
_SECONDS = re.compile(r"(\d+)(?:\.\d+)?", re.ASCII)
_MOST_DIGITS = 9
_LONGEST_DATE = 100


def read_retry_after(header: str | None, now: datetime) -> timedelta | None:
    """Return the wait from `now` (aware UTC), at most a day; None when `header` is absent or unreadable."""
    text = (header or "").strip()
    if (seconds := _SECONDS.fullmatch(text)) is not None:
        if len(seconds[1].lstrip("0")) > _MOST_DIGITS:
            return LONGEST
        return min(timedelta(seconds=float(text)), LONGEST)
    try:
        at = parsedate_to_datetime(text[:_LONGEST_DATE])
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, IndexError, OverflowError, TypeError):
        return None  # no date, or one with an impossible zone or year
    return min(max(wait, timedelta()), LONGEST)
