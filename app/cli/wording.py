"""Values as people read them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from rich.text import Text

    from queries.amounts import Amount
    from queries.waits import Wait

STYLES = {
    "completed": "green",
    "published": "green",
    "approved": "green",
    "rejected": "red",
    "expired": "yellow",
    "active": "green",
    "running": "cyan",
    "waiting": "cyan",
    "queued": "cyan",
    "compensating": "yellow",
    "retrying": "yellow",
    "failed": "red",
    "timed_out": "red",
    "cancelled": "yellow",
    "skipped": "dim",
    "pending": "dim",
}


def seconds(value: float | None) -> str:
    """Return a length of time: ``340 ms``, ``2.1 s``, ``3 m 05 s``, ``2 h 05 m``."""
    if value is None:
        return ""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} m"


def amounts(cost: "Iterable[Amount] | msgspec.Raw") -> str:
    """Return money, an amount a currency: ``0.0049 USD``."""
    from queries.amounts import Amount

    listed = msgspec.json.decode(cost, type=list[Amount]) if isinstance(cost, msgspec.Raw) else cost
    return ", ".join(f"{each.amount} {each.currency}" for each in listed)


def moment(at: datetime | None) -> str:
    """Return a time to the second, in UTC."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"


def point(at: int | datetime) -> str:
    """Return a position in the log, or an instant to the microsecond, in UTC."""
    return f"position {at}" if isinstance(at, int) else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}Z"


def waits(found: "Sequence[Wait]", count: int, most: int) -> str:
    """Return what an execution waits for, at most `most` things: ``approval of sign, timer of pause until …``."""
    words = [wait_words(each) for each in found[:most]]
    return ", ".join([*words, *([f"{count - most} more"] if count > most else [])])


def wait_words(wait: "Wait") -> str:
    """Return one thing that an execution waits for."""
    of = "" if wait.step is None else f" of {wait.step}"
    return f"{wait.kind}{of}" + ("" if wait.until is None else f" until {moment(wait.until)}")


def status(word: str) -> "Text":
    """Return a status, coloured where the terminal has colours."""
    from rich.text import Text

    return Text(word, style=STYLES.get(word, ""))


def short(value: object, width: int = 60) -> str:
    """Return a JSON value on one line of at most `width` characters."""
    encoded = bytes(value) if isinstance(value, msgspec.Raw) else msgspec.json.encode(value)
    if encoded == b"null":
        return ""
    text = encoded.decode()
    return text if len(text) <= width else text[: width - 1] + "…"
