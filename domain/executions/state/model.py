"""What an execution is: its steps, its timers, and how far the paths through it are decided."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.agents.calls import StepError
from domain.executions.events.child import Parent
from domain.executions.events.execution import Trigger
from domain.executions.timers import Timers
from domain.money import Money
from domain.processes.plan import Plan


class StepState(msgspec.Struct, frozen=True, gc=False):
    """One step so far: status, the number of its latest attempt, and what that attempt was given and gave.

    first_attempt: the attempt from which the retry policy counts. began_at: when the first of those was started, from
    which total_timeout counts. due_at: until when a timer step or an approval waits. chosen: where a gateway, or a step
    that was diverted, leads; None for any other. message: for a sub-process, the child's input. child: the execution
    that the step waits for.
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


class Approval(msgspec.Struct, frozen=True, gc=False):
    """What an attempt asked people for. status: ``open`` until it is ``granted``, ``refused``, ``changes_requested``,
    ``expired`` or ``cancelled``. by: who decided. comment: what they said.
    """

    title: str
    description: str
    artifacts: list[Any]
    status: str = "open"
    by: str | None = None
    comment: str | None = None


class Child(msgspec.Struct, frozen=True, gc=False):
    """An execution that an attempt of a step started. waits: whether the step is told how it ends."""

    step: str
    attempt: int
    waits: bool


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How an execution that undoes what it did will end; the facts of CompensationRequired."""

    status: str
    error: StepError | None = None
    step: str | None = None
    reason: str = ""


class Execution(msgspec.Struct):
    """One run of a process. The plan is immutable and shared by all executions of that version.

    version: number of events folded so far. open: steps that have not ended.
    waiting: per step, how many of the edges that lead to it are undecided. dead: per step, how many are decided and do
    not lead to it; steps with none are left out. timers: what happens by itself, and when.
    unanswered: attempts (``step:attempt``) that ended without the answer of their agent, and how; it may still come.
    approvals: by the attempt (``step:attempt``) that asked for them.
    parent: where it comes from, None for one that nobody calls. callees: by its step, the plan of each process that it
    may call. children: those it started that have not ended, as far as it knows, and were not closed.
    undo: completed steps that have a compensation, in the order of their completion, less those undone.
    outcome: given from the moment that what was done has to be undone.
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
    timers: Timers = {}
    unanswered: dict[str, str] = {}
    approvals: dict[str, Approval] = {}
    parent: Parent | None = None
    callees: Mapping[str, Plan] = {}
    children: dict[UUID, Child] = {}
    undo: tuple[str, ...] = ()
    outcome: Outcome | None = None

    def copy(self) -> "Execution":
        """A copy that can be evolved without touching this one."""
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
            self.undo,
            self.outcome,
        )
