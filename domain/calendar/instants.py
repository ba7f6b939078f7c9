"""The instants of a rule, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from croniter import croniter

from domain.calendar.rule import Rule


class Fate(StrEnum):
    """The word of the rule itself about an instant."""

    RUN = "run"
    SKIPPED = "skipped"
    MOVED = "moved"
    COALESCED = "coalesced"


@dataclass(frozen=True, slots=True)
class Instant:
    """An expected instant. at: aware, UTC, without jitter; local: by the clock of the rule's zone."""

    at: datetime
    local: datetime
    flags: tuple[str, ...] = ()
    fate: Fate = Fate.RUN
    to: datetime | None = None


def instants(rule: Rule, after: datetime) -> Iterator[Instant]:
    """Yield the instants after `after`, as far as they are requested."""
    if rule.every is not None:
        n = max(1, (after - rule.anchor) // rule.every + 1)
        while True:
            at = rule.anchor + n * rule.every
            yield Instant(at, at)
            n += 1
    found = croniter(rule.cron, after.astimezone(UTC))
    while True:
        at = found.get_next(datetime)
        yield Instant(at, at)


def next_instant(rule: Rule, after: datetime) -> Instant | None:
    """Return the first instant after `after`."""
    return next(instants(rule, after), None)


def jittered(_rule: Rule, _key: UUID, at: datetime) -> datetime:
    """Return when the instant is due, with its delay."""
    return at
