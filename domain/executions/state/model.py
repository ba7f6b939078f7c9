"""The state of an execution: its steps, its timers, and the decided edges."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain.agents.calls import StepError
from domain.executions.events.child import Parent
from domain.executions.events.execution import Trigger
from domain.executions.timers import DueTimes
from domain.money import Money
from domain.processes.plan import Plan


class StepState(msgspec.Struct, frozen=True, gc=False):
    """One step so far: status, the number of its latest attempt, and that attempt's input and result.

    first_attempt: the attempt from which the retry policy counts. began_at: the start of the first of those, from which
    total_timeout counts. due_at: the end of the wait of a timer step or an approval. chosen: the targets of a gateway,
    or of a step that was diverted; None for any other. message: for a sub-process, the child's input. child: the
    execution that the step waits for. response_id: of the model that works on the attempt in the background.
    """

    status: str
    attempt: int
    agent: str = ""
    message: Any = None
    parameters: dict[str, Any] = {}
    output: Any = None
    error: StepError | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    costs: tuple[Money, ...] = ()
    first_attempt: int = 1
    began_at: datetime | None = None
    due_at: datetime | None = None
    chosen: tuple[str, ...] | None = None
    child: UUID | None = None
    response_id: str = ""


class Approval(msgspec.Struct, frozen=True, gc=False):
    """An approval that an attempt requested.

    status: ``open`` until it is ``granted``, ``refused``, ``changes_requested``, ``expired`` or ``cancelled``. by: the
    approver who decided. comment: the comment of that approver.
    """

    title: str
    description: str
    artifacts: list[Any]
    status: str = "open"
    by: str | None = None
    comment: str | None = None


class Child(msgspec.Struct, frozen=True, gc=False):
    """An execution that an attempt of a step started. waits: whether the step waits for its end.

    item: the position of its item, from 0. round: its round, from 1; None for a step that is not repeated so.
    """

    step: str
    attempt: int
    waits: bool
    item: int | None = None
    round: int | None = None


ItemEnd = tuple[int, Any, bool]
"""The position of an item, its output or error, and whether it has completed."""


class Ends:
    """The ends of items, in the order in which they came. Adding one takes the same time however many there are.

    States that follow from one another share the list; each reads as many as it counts.
    """

    __slots__ = ("_count", "_shared")

    def __init__(self, shared: list[ItemEnd] | None = None, count: int = 0) -> None:
        self._shared = [] if shared is None else shared
        self._count = count

    def add(self, end: ItemEnd) -> "Ends":
        """Return these and one more; a second state that goes on from here gets a list of its own."""
        shared = self._shared if len(self._shared) == self._count else self._shared[: self._count]
        shared.append(end)
        return Ends(shared, self._count + 1)

    def __iter__(self) -> Iterator[ItemEnd]:
        return iter(self._shared[: self._count])

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ends) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


class Repetition(msgspec.Struct, frozen=True, gc=False):
    """A step that is repeated.

    items: the list that it goes through. keys: of the items. todo: the positions that the latest attempt goes through,
    of which `begun` have begun, `ended` of those have ended, and `failed` of those have no result. ends: of items, in
    all attempts. size: bytes of the outputs so far. round: the one that runs or comes next. carried: laid over its
    input.
    """

    items: list[Any] = []
    keys: list[str] = []
    todo: tuple[int, ...] = ()
    begun: int = 0
    ended: int = 0
    failed: int = 0
    ends: Ends = msgspec.field(default_factory=Ends)
    size: int = 0
    round: int = 1
    carried: dict[str, Any] = {}


class SettledOutcome(msgspec.Struct, frozen=True, gc=False):
    """The settled end of an execution during compensation; the fields of CompensationRequired."""

    status: str
    error: StepError | None = None
    step: str | None = None
    reason: str = ""


class QueueEntry(msgspec.Struct, frozen=True, gc=False):
    """The entry of an execution in the line of its process and key; the fields of ExecutionQueued."""

    queued_at: datetime
    key: str = ""
    priority: int = 0
    called: bool = False

    @property
    def rank(self) -> datetime:
        """The instant by which those that wait are in line, the earliest first."""
        return rank_of(self.queued_at, self.priority)


def rank_of(queued_at: datetime, priority: int) -> datetime:
    """Return the rank of an execution in its line: when it came, a minute earlier for each step of its priority."""
    return queued_at - priority * timedelta(minutes=1)


class Execution(msgspec.Struct):
    """One run of a process. The plan is immutable and shared by all executions of that version.

    version: number of events folded so far. open: steps that have not ended. waiting: per step, how many of the
    edges that lead to it are undecided. dead: per step, how many are decided and do not lead to it; steps with none
    are left out. timers: the due time of each timer. unanswered: attempts (``step:attempt``) that ended without the
    answer of their agent, and how; it may still come. approvals: by the attempt (``step:attempt``) that requested
    them. parent: its origin, None for a root. callees: by its step, the plan of each process that it may call.
    children: those whose end is not recorded here and that were not closed. item_children: of those, by step, the
    ones of its items. undo: completed steps that have a compensation, in the order of their completion, less those
    compensated. outcome: set from the moment that compensation is required. usage_ids: of the uses booked so far,
    as agents name them, with their attempts. repetitions: by step, of those that are repeated. queued: its entry in
    the line of its process; None if it began without one.
    """

    id: UUID
    plan: Plan
    version: int = 0
    status: str = ""
    input: dict[str, Any] = {}
    trigger: Trigger = Trigger()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    steps: dict[str, StepState] = {}
    waiting: dict[str, int] = {}
    open: int = 0
    dead: dict[str, int] = {}
    timers: DueTimes = {}
    unanswered: dict[str, str] = {}
    approvals: dict[str, Approval] = {}
    parent: Parent | None = None
    callees: Mapping[str, Plan] = {}
    children: dict[UUID, Child] = {}
    item_children: dict[str, dict[UUID, None]] = {}
    undo: tuple[str, ...] = ()
    outcome: SettledOutcome | None = None
    usage_ids: dict[str, int] = {}
    repetitions: dict[str, Repetition] = {}
    queued: QueueEntry | None = None

    def copy(self) -> "Execution":
        """Return a copy whose evolution leaves this one unchanged."""
        return Execution(
            self.id,
            self.plan,
            self.version,
            self.status,
            self.input,
            self.trigger,
            self.started_at,
            self.ended_at,
            self.steps.copy(),
            self.waiting.copy(),
            self.open,
            self.dead.copy() if self.dead else {},
            self.timers.copy() if self.timers else {},
            self.unanswered.copy() if self.unanswered else {},
            self.approvals.copy() if self.approvals else {},
            self.parent,
            self.callees,
            self.children.copy() if self.children else {},
            {step: ids.copy() for step, ids in self.item_children.items()} if self.item_children else {},
            self.undo,
            self.outcome,
            self.usage_ids.copy() if self.usage_ids else {},
            self.repetitions.copy() if self.repetitions else {},
            self.queued,
        )
