"""The limits of an agent for the whole installation: how many calls may begin now, and when the next one may.

Calls and tokens are counted over a window that slides. A count belongs to a slot, a sixtieth of the window, and stays
until the whole window and one slot have passed since the slot ended: no window of that length ever holds more than the
limit. A call counts from its claim on, and once it is sent from that time on; the slot is the margin for its way.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import msgspec

from domain.calendar.durations import parse_duration

MINUTE = timedelta(minutes=1)
SLOTS = 60
SHORTEST_SLOT = timedelta(milliseconds=100)
MOST_AT_ONCE = 1_000_000_000
RECENT = 20
"""The median of the tokens of so many calls is what the next call reserves."""
FIRST_PART = 10
"""Until the tokens of a call are known, each call reserves one in ten of the tokens of a minute."""
LONGEST_AGENT_PAUSE = timedelta(hours=1)
"""No ``Retry-After`` keeps an agent from being called for longer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

SlotCounts = tuple[tuple[int, int], ...]
"""Amounts by the end of their slot, in microseconds since 1970, in order."""


class AgentLimits(msgspec.Struct, frozen=True):
    """The limits of one agent; None: no such limit.

    max_open: calls at once. calls: that begin within `per`. tokens: of a minute.
    """

    max_open: int | None = None
    calls: int | None = None
    per: timedelta = MINUTE
    tokens: int | None = None


class LimitUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The counts of an agent in its windows.

    calls, tokens: of the windows. recent: the tokens of the last calls whose use is known, the latest last.
    """

    calls: SlotCounts = ()
    tokens: SlotCounts = ()
    recent: tuple[int, ...] = ()


class CallsClaimed(msgspec.Struct, frozen=True):
    """The counts of one claim for each of its calls. calls, tokens: the slots of both counts; reserved: tokens."""

    calls: int = 0
    tokens: int = 0
    reserved: int = 0


class TokensSpent(msgspec.Struct, frozen=True):
    """The tokens that one call has used. slot: of its reservation."""

    slot: int
    reserved: int
    used: int


def limits_of(config: Mapping[str, Any], max_open: int | None) -> AgentLimits | None:
    """Return the limits that a canonical configuration states; None: it states none."""
    rate, tokens = config.get("rate"), config.get("tokens")
    if max_open is None and rate is None and tokens is None:
        return None
    return AgentLimits(
        max_open,
        None if rate is None else rate["calls"],
        MINUTE if rate is None else parse_duration(rate["per"]),
        None if tokens is None else tokens["per_minute"],
    )


def reservation(limits: AgentLimits, use: LimitUse) -> int:
    """Return the tokens that one call reserves."""
    if limits.tokens is None:
        return 0
    return max(1, round(median(use.recent)) if use.recent else limits.tokens // FIRST_PART)


def calls_allowed(limits: AgentLimits, use: LimitUse, open: int, now: datetime) -> int:
    """Return how many more calls may begin at `now`, while `open` are open.

    A call that reserves more than the tokens of a minute may begin when none of the minute is used.
    """
    rooms = [MOST_AT_ONCE]
    if limits.max_open is not None:
        rooms.append(limits.max_open - open)
    if limits.calls is not None:
        rooms.append(limits.calls - _sum(use.calls, limits.per, now))
    if limits.tokens is not None:
        used = _sum(use.tokens, MINUTE, now)
        rooms.append((limits.tokens - used) // reservation(limits, use) or int(used == 0))
    return max(0, min(rooms))


def allowed_from(limits: AgentLimits, use: LimitUse, now: datetime) -> datetime | None:
    """Return when rate and tokens allow the next call; None: they allow it now."""
    times = []
    if limits.calls is not None:
        times.append(_free_from(use.calls, limits.per, limits.calls - 1, now))
    if limits.tokens is not None:
        times.append(_free_from(use.tokens, MINUTE, max(0, limits.tokens - reservation(limits, use)), now))
    latest = max(times, default=now)
    return latest if latest > now else None


def begin_calls(limits: AgentLimits, use: LimitUse, begun: int, now: datetime) -> tuple[LimitUse, CallsClaimed]:
    """Return the use after `begun` more calls, and what was counted for each of them."""
    if not begun:
        return use, CallsClaimed()
    calls, tokens, reserved = use.calls, use.tokens, reservation(limits, use)
    if limits.calls is not None:
        calls = _added(calls, limits.per, now, begun)
    if limits.tokens is not None:
        tokens = _added(tokens, MINUTE, now, begun * reserved)
    claimed = CallsClaimed(calls[-1][0] if calls else 0, tokens[-1][0] if tokens else 0, reserved)
    return LimitUse(calls, tokens, use.recent), claimed


def send_calls(limits: AgentLimits, use: LimitUse, sent: Mapping[int, int], now: datetime) -> LimitUse:
    """Return the use after calls were sent that count from now on. sent: their number by the slot of their claim."""
    if limits.calls is None:
        return use
    calls = dict(use.calls)
    for slot, number in sent.items():
        calls[slot] = max(0, calls.get(slot, 0) - number)
    left = tuple((end, amount) for end, amount in sorted(calls.items()) if amount)
    return LimitUse(_added(left, limits.per, now, sum(sent.values())), use.tokens, use.recent)


def correct_tokens(use: LimitUse, spent: Sequence[TokensSpent], now: datetime) -> LimitUse:
    """Return the use after calls have reported theirs.

    Tokens beyond the reservation count from now on; those that a call did not need are free at once.
    """
    tokens = dict(use.tokens)
    more = 0
    for each in spent:
        if each.used > each.reserved:
            more += each.used - each.reserved
        elif each.slot in tokens:
            tokens[each.slot] = max(0, tokens[each.slot] - (each.reserved - each.used))
    counts = tuple(sorted(tokens.items()))
    recent = (*use.recent, *(each.used for each in spent))[-RECENT:]
    return LimitUse(use.calls, _added(counts, MINUTE, now, more) if more else counts, recent)


def pause_of(retry_after: timedelta) -> timedelta:
    """Return for how long an agent that sends this ``Retry-After`` is not called."""
    return min(max(retry_after, timedelta()), LONGEST_AGENT_PAUSE)


def _slot(window: timedelta) -> int:
    return max(window // SLOTS, SHORTEST_SLOT) // _MICROSECOND


def _kept(counts: SlotCounts, window: timedelta, now: datetime) -> SlotCounts:
    since = _microseconds(now) - window // _MICROSECOND - _slot(window)
    return tuple(each for each in counts if each[0] > since)


def _sum(counts: SlotCounts, window: timedelta, now: datetime) -> int:
    return sum(amount for _, amount in _kept(counts, window, now))


def _added(counts: SlotCounts, window: timedelta, now: datetime, amount: int) -> SlotCounts:
    kept = _kept(counts, window, now)
    slot = _slot(window)
    end = (_microseconds(now) // slot + 1) * slot
    if kept and kept[-1][0] >= end:  # the clock of the database went back
        return (*kept[:-1], (kept[-1][0], kept[-1][1] + amount))
    return (*kept, (end, amount)) if amount else kept


def _free_from(counts: SlotCounts, window: timedelta, most: int, now: datetime) -> datetime:
    """Return when at most `most` is left of the counts."""
    kept = _kept(counts, window, now)
    left = sum(amount for _, amount in kept)
    for end, amount in kept:
        if left <= most:
            break
        left -= amount
        now = _EPOCH + timedelta(microseconds=end + _slot(window)) + window
    return now


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
