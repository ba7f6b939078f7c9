"""The terms of a registered rule: the instants that it expects, and what is done about late or overlapping ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from domain.schedules.schedule import Registration, Schedule

Overlap = Literal["skip", "buffer_one", "allow", "cancel_running"]
CatchUp = Literal["latest", "all", "none"]


class ExpectedInstant(Protocol):
    """An instant of a rule. fate: what the rule itself says of it: run, skipped, moved or coalesced; to: where to."""

    @property
    def at(self) -> datetime:
        """The instant without jitter."""

    @property
    def fate(self) -> str:
        """One of run, skipped, moved, coalesced."""

    @property
    def to(self) -> datetime | None:
        """The instant to which the run moves."""


class Timetable(Protocol):
    """The instants of one rule."""

    def after(self, instant: datetime) -> Iterator[ExpectedInstant]:
        """Yield the expected instants after `instant`, in order, as far as they are requested."""

    def due_at(self, instant: ExpectedInstant) -> datetime:
        """Return when the instant is due: its time with its jitter, before the next instant."""


@dataclass(frozen=True, slots=True)
class Terms:
    """timetable: the instants. refusal: why this release refuses the rule. The others are fields of the trigger."""

    timetable: Timetable
    overlap: Overlap = "skip"
    catch_up: CatchUp = "latest"
    catch_up_window: timedelta = timedelta(hours=1)
    pause_after: int | None = None
    refusal: str = ""


class NoInstants:
    """Implements `Timetable`: a rule that expects nothing."""

    def after(self, _instant: datetime) -> Iterator[ExpectedInstant]:
        """Yield nothing."""
        return iter(())

    def due_at(self, instant: ExpectedInstant) -> datetime:
        """Return the time of the instant."""
        return instant.at


NEVER = NoInstants()

TermsOf = Callable[[Registration], Terms]


@dataclass(frozen=True, slots=True)
class Expected:
    """An instant that is not accounted for, with the rule that expects it. due_at: with its jitter."""

    registration: Registration
    terms: Terms
    instant: ExpectedInstant
    due_at: datetime

    @property
    def runs(self) -> bool:
        """Whether the rule requires an execution for the instant."""
        return self.instant.fate == "run" and not self.registration.removed


def expected(schedule: Schedule, terms_of: TermsOf) -> Iterator[Expected]:
    """Yield every expected instant that is not accounted for, in order, as far as they are requested."""
    for registration in schedule.registrations:
        terms = terms_of(registration)
        for instant in terms.timetable.after(max(schedule.cursor, registration.since)):
            if registration.until is not None and instant.at > registration.until:
                break
            yield Expected(registration, terms, instant, terms.timetable.due_at(instant))


def next_due(schedule: Schedule, terms_of: TermsOf) -> datetime | None:
    """Return when a worker has something to do about the schedule; None when nothing is expected any more."""
    if schedule.waiting is not None and not schedule.running:
        return schedule.waiting
    first = next(expected(schedule, terms_of), None)
    return None if first is None else first.due_at
