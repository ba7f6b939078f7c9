"""Pages of a list: opaque keyset cursors, which neither skip nor repeat rows while new ones arrive."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from domain.refusal import Refusal
from queries.epochs import require_held
from queries.reading import Freshness, Reading

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
LARGEST = 2**63 - 1

T = TypeVar("T")


class BadCursor(Refusal):
    """No list of this kind gave out the cursor."""

    code = "bad_cursor"


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some rows of a list. next_cursor: the place of the next page, None after the last row."""

    items: Sequence[T]
    next_cursor: str | None
    as_of_position: int
    lag_seconds: float


def page_of(
    rows: Sequence[T], limit: int, freshness: Freshness, cursor: Callable[[T], str], *, full: bool = False
) -> Page[T]:
    """Return the page of `rows`, which hold one row more than `limit` if the list goes on.

    full: rows end where they make a page full in bytes; the list may go on.
    """
    items = rows[:limit]
    following = cursor(items[-1]) if len(rows) > limit or (full and items) else None
    return Page(items, following, freshness.as_of_position, freshness.lag_seconds)


def write_cursor(kind: str, key: str | int, epoch: str | None = None) -> str:
    """Return an opaque cursor of the list `kind` that goes on after the row with `key`.

    epoch: of the position that the key holds, if it holds one.
    """
    of = f"{kind}@{epoch}" if epoch else kind
    return base64.urlsafe_b64encode(f"{of}:{key}".encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str) -> str:
    """Return the key in a cursor of the list `kind`. Raises BadCursor."""
    return read_key(kind, cursor)[0]


def read_key(kind: str, cursor: str) -> tuple[str, str | None]:
    """Return the key in a cursor of the list `kind`, and the epoch of its position. Raises BadCursor."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        written = base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise bad_cursor() from None
    of, separator, key = written.partition(":")
    of, _, epoch = of.partition("@")
    if not separator or of != kind or "\0" in key:
        raise bad_cursor()
    return key, epoch or None


def read_position(kind: str, cursor: str | None, default: int, log: Reading | None = None) -> int:
    """Return the number in a cursor of the list `kind`, `default` without a cursor. Raises BadCursor.

    log: the number is a position of this log; raises LogWentBack if it was lost.
    """
    if cursor is None:
        return default
    key, epoch = read_key(kind, cursor)
    if not (key.isascii() and key.isdigit() and len(key) <= 19 and int(key) <= LARGEST):
        raise bad_cursor()
    if log is not None:
        require_held(log.progress, epoch, int(key))
    return int(key)


def bad_cursor() -> BadCursor:
    """Return the refusal of a cursor without a valid place."""
    return BadCursor("this cursor is not one that this list gave out; begin again without it")
