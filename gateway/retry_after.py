"""The wait that an agent requests: the ``Retry-After`` header (RFC 9110, section 10.2.3)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=1)
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)


def read_retry_after(header: str | None, now: datetime) -> timedelta | None:
    """Return the wait from `now` (aware UTC), at most a day; None when `header` is absent or unreadable."""
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=float(text)), LONGEST)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError):
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), LONGEST)
