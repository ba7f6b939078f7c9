"""Values as people read them on a page: durations, times in the reader's zone, money, ids."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from markupsafe import Markup, escape

from queries.amounts import Amount
from queries.waits import Wait

NOTHING = "—"
SHOWN_BYTES = 20_000
TAIL = 8
AWAITED = {
    "approval": "a person",
    "timer": "a time",
    "child": "a called execution",
    "slot": "a free slot",
    "retry": "its retry",
    "rate": "the limits of an agent",
}
AWAITED_IN_NUMBERS = {
    "approval": ("approval", "approvals"),
    "timer": ("timer", "timers"),
    "child": ("called execution", "called executions"),
    "slot": ("free slot", "free slots"),
    "retry": ("retry", "retries"),
    "agent": ("agent", "agents"),
    "rate": ("agent at its limits", "agents at their limits"),
}
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CHF": "CHF ", "INR": "₹"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AMOUNTS = msgspec.json.Decoder(list[Amount])


def duration(seconds: float | None) -> str:
    """Return a length of time in two units: ``0.4 s``, ``48 s``, ``13 min 52 s``, ``2 h 12 min``, ``3 d 2 h``."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, unit, below, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            many, rest = divmod(whole, size)
            few = rest // below
            return f"{many} {unit} {few} {smaller}" if few else f"{many} {unit}"
    return f"{whole} s"


def ahead(seconds: float) -> str:
    """Return how far off a time is, in one unit: ``in 13 min``, ``in 2 h``, ``in 3 d``; ``now`` where it is due."""
    if seconds < 1:
        return "now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"in {round(seconds / size)} {unit}"
    return f"in {round(seconds)} s"


def size(bytes: int) -> str:
    """Return a size in decimal units: ``812 B``, ``4.2 kB``, ``1.3 GB``."""
    amount, units = float(bytes), ("B", "kB", "MB", "GB", "TB")
    for unit in units:
        if amount < 1_000 or unit == units[-1]:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1_000
    raise AssertionError("unreachable")


def moment(at: datetime | None, zone: tzinfo, now: datetime) -> str:
    """Return a time in `zone`: ``14:18:03`` today, ``3 Nov 09:24`` this year, else ``3 Nov 2025``."""
    if at is None:
        return NOTHING
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return local.time().isoformat("seconds")
    day = f"{local.day} {_MONTHS[local.month - 1]}"
    return f"{day} {local:%H:%M}" if local.year == today.year else f"{day} {local.year}"


def when(at: datetime | None, zone: tzinfo, now: datetime) -> Markup:
    """Return a time element in the reader's zone, with the time in UTC as its title."""
    if at is None:
        return escape(NOTHING)
    utc, shown = at.isoformat(sep=" ")[:19], moment(at, zone, now)
    machine = f"{utc[:10]}T{utc[11:]}Z"
    # Dates and times need no escape.
    return Markup(f'<time class="nw" datetime="{machine}" title="{utc} UTC">{shown}</time>')  # noqa: S704


def amounts(cost: Iterable[Amount] | msgspec.Raw) -> list[Amount]:
    """Return amounts, one a currency."""
    return _AMOUNTS.decode(cost) if isinstance(cost, msgspec.Raw) else list(cost)


def money(cost: Iterable[Amount] | msgspec.Raw) -> Markup:
    """Return money as ``$0.3456 + €1.20``, exact as the title; currencies are never added to each other."""
    found = amounts(cost)
    if not found:
        return escape(NOTHING)
    shown = " + ".join(_rounded(each) for each in found)
    exact = " + ".join(f"{each.amount} {each.currency}" for each in found)
    return Markup('<span class="num nw" title="{}">{}</span>').format(exact, shown)


def tail(id: UUID | str) -> Markup:
    """Return the last eight characters of an id, the whole one as the title: ids of one minute begin alike."""
    text = str(id) if isinstance(id, UUID) else escape(id)
    end = text[-8:] if isinstance(id, UUID) else escape(id[-8:])
    return Markup(f'<span class="mono" title="{text}">{end}</span>')  # noqa: S704 - escaped, as ids need not be


def who(actor: str) -> Markup:
    """Return an actor: a person by its name, a worker by the end of its id, with the whole as the title."""
    kind, _, name = actor.partition(":")
    if kind == "worker" and len(name) > TAIL:
        return Markup('<span title="{}">worker <span class="mono xs">{}</span></span>').format(actor, name[-TAIL:])
    return escape(name if kind == "user" and name else actor)


def awaited(waits: Sequence[Wait], count: int) -> str:
    """Return what an execution waits for: ``waits for a person: sign-off, and 2 more``; empty while agents work."""
    first = next((each for each in waits if each.kind in AWAITED), None)
    if first is None:
        return ""
    step = f": {first.step}" if first.step else ""
    return f"waits for {AWAITED[first.kind]}{step}{f', and {count - 1} more' if count > 1 else ''}"


def all_awaited(waits: Iterable[Wait]) -> str:
    """Return everything that an execution waits for in numbers: ``1 approval, 2 timers``."""
    counts = Counter(wait.kind for wait in waits)
    words = ((many, AWAITED_IN_NUMBERS.get(kind, (kind, kind))) for kind, many in counts.items())
    return ", ".join(f"{many} {one if many == 1 else more}" for many, (one, more) in words)


def approval_of(execution_id: UUID, step: str, attempt: int) -> str:
    """Return the id of the approval that an attempt of a step requests."""
    return f"{execution_id}:{step}:{attempt}"


def document(value: Any) -> str:
    """Return a JSON value as indented text."""
    raw = value if isinstance(value, msgspec.Raw) else msgspec.json.encode(value)
    return msgspec.json.format(bytes(raw), indent=2).decode()


def shortened(value: Any) -> str:
    """Return a JSON value as indented text; of a long one the beginning, marked as cut."""
    raw = value if isinstance(value, msgspec.Raw) else msgspec.json.encode(value)
    return _cut(bytes(raw).decode()) if len(bytes(raw)) > SHOWN_BYTES else document(value)


def readable(value: msgspec.Raw) -> list[tuple[str, str]]:
    """Return the members of a JSON document, each with its name: texts as they are, all else as indented JSON."""
    found = msgspec.json.decode(value)
    members = found.items() if isinstance(found, dict) else enumerate(found, 1) if isinstance(found, list) else ()
    return [(str(name), _cut(each) if isinstance(each, str) else shortened(each)) for name, each in members]


def _cut(text: str) -> str:
    """Return a text; of a long one the beginning, marked as cut."""
    written = text.encode()
    if len(written) <= SHOWN_BYTES:
        return text
    return f"{written[:SHOWN_BYTES].decode('utf-8', 'ignore')}… (cut; {len(written):,} bytes in all)"


def cut(text: str) -> str:
    """Return a text; of a long one the beginning, marked as cut."""
    return text if len(text) <= SHOWN_BYTES else f"{text[:SHOWN_BYTES]}… (cut; {len(text):,} characters in all)"


def _rounded(amount: Amount) -> str:
    value = Decimal(amount.amount)
    places = 4 if abs(value) < 1 else 2
    symbol = SYMBOLS.get(amount.currency)
    text = f"{value:,.{places}f}"
    return f"{symbol}{text}" if symbol is not None else f"{text} {amount.currency}"
