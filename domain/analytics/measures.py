"""The measure of an execution: what its events add up to for analytics. Pure; see `domain/analytics/measuring.py`."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from domain.executions.events.outcomes import FAILED
from domain.money import Money, add

# A step is in one phase at a time. The phase of an execution is the first of these in which one of its steps is.
WORKING, RETRYING, APPROVAL, CHILD, TIMER, QUEUE, IDLE = range(7)
WAITS = (APPROVAL, CHILD, TIMER)
"""The phases in which a step waits for people, for another execution or for time."""

TIME_LIMITS = frozenset(("step_timed_out", "deadline_exceeded", "heartbeat_missed", "approval_expired"))
"""The codes of errors of an execution that failed by a time limit."""

NONE = timedelta(0)
MICROSECOND = timedelta(microseconds=1)


class Spent:
    """Uses and the exact amount of what they cost, by currency; and the uses without a price."""

    __slots__ = ("amounts", "unpriced", "uses")

    def __init__(self) -> None:
        self.uses: dict[str, int] = {}
        self.amounts: dict[str, Decimal] = {}
        self.unpriced = 0

    def spend(self, money: Money | None, sign: int = 1) -> None:
        """Add a cost, or take it back."""
        if money is not None:
            amount = money.amount if sign > 0 else money.amount.copy_negate()
            self.uses[money.currency] = self.uses.get(money.currency, 0) + sign
            self.amounts[money.currency] = add(self.amounts.get(money.currency, Decimal(0)), amount)

    def add(self, other: "Spent", sign: int = 1) -> None:
        """Add what another has spent, or take it back."""
        for currency, uses in other.uses.items():
            self.uses[currency] = self.uses.get(currency, 0) + sign * uses
        for currency, amount in other.amounts.items():
            amount = amount if sign > 0 else amount.copy_negate()
            self.amounts[currency] = add(self.amounts.get(currency, Decimal(0)), amount)
        self.unpriced += sign * other.unpriced

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was ever spent, and nothing is without a price."""
        return not (self.uses or self.unpriced)

    def copy(self) -> "Spent":
        """Return another one that has spent the same."""
        spent = Spent()
        spent.uses, spent.amounts, spent.unpriced = dict(self.uses), dict(self.amounts), self.unpriced
        return spent

    def costs(self) -> Iterator[tuple[str, Decimal]]:
        """Yield the amount of each currency in which there is a use; an amount may be 0."""
        return ((currency, self.amounts[currency]) for currency, uses in self.uses.items() if uses > 0)


class StepMeasure:
    """One step. phase, since: now. worked: its attempts with the agent, added up. waited: in the phases of WAITS.

    tried: an attempt of it began; gateways have none. completed: it succeeded. agent: of its last attempt; empty: none.
    """

    __slots__ = ("agent", "completed", "phase", "since", "spent", "tried", "waited", "worked")

    def __init__(self, since: datetime) -> None:
        self.phase, self.since = IDLE, since
        self.worked = self.waited = NONE
        self.tried = self.completed = False
        self.agent = ""
        self.spent: Spent | None = None


class ExecutionMeasure:
    """One execution up to its event `version`.

    process_id, root: the 16 bytes of the ids; a root is its own root. trigger: its type. at: the latest time of its
    events; the clocks of two workers may differ, and no time is counted backwards. outcome, ended_at, error_code,
    failed_step: once it has ended. body: the steps that run, by their path, where it is no process. phases: the time in
    each phase; they add up to the duration. unpriced: by the version of a use without a price, its step. spenders: by
    the version of a use, its agent. calls: it has called another process.
    """

    __slots__ = (
        "at", "body", "calls", "ended_at", "error_code", "failed_step", "in_phase", "interlude", "outcome", "phases",
        "process_id", "root", "spenders", "spent", "started_at", "steps", "trigger", "unpriced", "version",
        "version_of_process",
    )  # fmt: skip

    def __init__(
        self, process_id: bytes, version_of_process: int, trigger: str, root: bytes | None, at: datetime
    ) -> None:
        self.process_id, self.version_of_process, self.trigger, self.root = (
            process_id,
            version_of_process,
            trigger,
            root,
        )
        self.version = 1
        self.started_at = self.at = at
        self.ended_at: datetime | None = None
        self.outcome = self.error_code = self.failed_step = ""
        self.phases = [NONE] * 7
        self.in_phase = [0] * 7
        self.interlude = QUEUE  # the phase while no step is in one
        self.steps: dict[str, StepMeasure] = {}
        self.spent = Spent()
        self.unpriced: dict[int, str] = {}
        self.spenders: dict[int, str] = {}
        self.calls = False
        self.body = ""

    def place(self, step: str) -> str:
        """Return the id of a step as figures of the process name it: with the steps that hold it, joined by ``/``."""
        return place_of(self.body, step)

    @property
    def is_called(self) -> bool:
        """Whether another execution started it."""
        return self.root is not None

    @property
    def is_timed_out(self) -> bool:
        """Whether it failed by a time limit."""
        return self.outcome == FAILED and self.error_code in TIME_LIMITS

    @property
    def duration(self) -> timedelta:
        """The time from its start to its end, or to its latest event."""
        return self.at - self.started_at

    def pass_time(self, at: datetime) -> None:
        """Count the time until an instant for the phase of the execution."""
        if at > self.at:
            in_phase, phase = self.in_phase, 0
            while phase < IDLE and not in_phase[phase]:
                phase += 1
            self.phases[self.interlude if phase == IDLE else phase] += at - self.at
            self.at = at

    def move(self, step: str, phase: int, at: datetime) -> StepMeasure:
        """Let a step enter a phase."""
        if at > self.at:  # the events of one decision happen at one time
            self.pass_time(at)
        at, in_phase = self.at, self.in_phase
        found = self.steps.get(step)
        if found is None:
            found = self.steps[step] = StepMeasure(at)
        before = found.phase
        if before == WORKING:
            found.worked += at - found.since
        elif before in WAITS:
            found.waited += at - found.since
        in_phase[before] -= 1
        in_phase[phase] += 1
        found.phase, found.since = phase, at
        return found

    def step_spent(self, step: str) -> Spent:
        """Return what a step has spent, to add to."""
        found = self.steps.get(step)
        if found is None:
            found = self.steps[step] = StepMeasure(self.at)
        if found.spent is None:
            found.spent = Spent()
        return found.spent


def place_of(body: str, step: str) -> str:
    """Return the id of a step as figures of the process name it. body: the path of the steps that hold it, or empty."""
    return f"{body}/{step}" if body and step else step


def is_priced(spent: Spent) -> bool:
    """Return whether nothing that was used is without a price."""
    return spent.unpriced <= 0


def waiting_phases(phases: list[timedelta]) -> Mapping[str, timedelta]:
    """Return the time that an execution waited, by the kind of its wait."""
    return {"queue": phases[QUEUE], "timer": phases[TIMER], "approval": phases[APPROVAL], "child": phases[CHILD]}
