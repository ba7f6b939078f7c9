"""Steps of an execution, reached or not, in the order of the definition."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from domain.executions.events.outcomes import RETRYING, WAITING
from domain.language.types.steps import compensation_id
from projections.execution_steps import StepRow
from queries.amounts import Amount
from queries.attempts import AttemptView, TokenUsage
from queries.definitions import DefinedStep
from queries.estimates import Estimate


class StepInput(msgspec.Struct, frozen=True):
    """The input of the agent. Of a notification: the text and its target. Of a sub-process: the child's input."""

    message: msgspec.Raw
    parameters: msgspec.Raw


class ChildExecution(msgspec.Struct, frozen=True):
    """An execution that an attempt of the step started. duration: in seconds, None while it runs. cost: its own.

    round: from 1, of a step that repeats until a condition holds.
    """

    execution_id: UUID
    attempt: int
    process: str
    version: int
    status: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: float | None = None
    cost: list[Amount] = []
    round: int | None = None


class ItemsProgress(msgspec.Struct, frozen=True):
    """How far a step has gone through its list: the items in it, those completed, and those without a result so far."""

    count: int
    completed: int
    failed: int


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step. status ``pending``: not reached. attempts: how many began. duration: of the last one, in seconds.

    output: also of an approval that was not granted, as in expressions.
    error: of the last attempt that ended badly, also while another one is to come. due_at: the end of the wait of a
    ``waiting`` or ``retrying`` step. chosen: the targets of a gateway, or of a step that was diverted for its error.
    conditions: those that the gateway evaluated, as {target, value, condition}. children: of a sub-process, the newest
    last. attempt_list: the attempts, the newest last. compensation: ``started``, ``completed`` or ``failed`` once the
    step is undone. compensates: the step that this one undoes; such a step is shown once it is reached. estimate: of
    its cost, while it has not ended and its execution runs; null for a step that never cost anything. items: of a step
    that goes through a list; its executions are no `children`, but a list of their own. round: the latest one of a step
    that repeats until a condition holds.
    """

    id: str
    name: str | None
    type: str
    depends_on: list[str]
    status: str = "pending"
    attempts: int = 0
    agent: str | None = None
    input: StepInput | None = None
    output: msgspec.Raw
    error: msgspec.Raw
    skip_reason: str | None = None
    cancel_reason: str | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    due_at: datetime | None = None
    chosen: list[str] | None = None
    conditions: msgspec.Raw
    duration: float | None = None
    cost: list[Amount] = []
    usage: TokenUsage | None = None
    children: list[ChildExecution] = []
    attempt_list: list[AttemptView] = []
    compensation: str | None = None
    compensates: str | None = None
    estimate: Estimate | None = None
    items: ItemsProgress | None = None
    round: int | None = None

    @property
    def is_to_come(self) -> bool:
        """Whether it has not ended."""
        return self.completed_at is None and self.skip_reason is None and self.compensates is None


class ReachedStep(msgspec.Struct, frozen=True):
    """A step that the execution has reached, as its row in the read table holds it, and its cost."""

    step: str
    status: str
    attempt: int | None
    agent: str | None
    message: msgspec.Raw
    parameters: msgspec.Raw
    output: msgspec.Raw
    error: msgspec.Raw
    skip_reason: str | None
    cancel_reason: str | None
    scheduled_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    due_at: datetime | None
    chosen: list[str] | None
    conditions: msgspec.Raw
    compensation: str | None
    input_tokens: int
    output_tokens: int
    unpriced: int
    items: int | None
    items_completed: int
    items_failed: int | None
    round: int | None
    cost: list[Amount]


_OF_ROW = tuple(name for name in ReachedStep.__struct_fields__ if name != "cost")
_DOCUMENTS = frozenset(field.name for field in msgspec.structs.fields(ReachedStep) if field.type is msgspec.Raw)


class _ChildRow(ChildExecution, frozen=True, kw_only=True):
    step: str


NULL = msgspec.Raw(b"null")
_decode_children = msgspec.json.Decoder(list[_ChildRow]).decode
decode_steps = msgspec.json.Decoder(list[ReachedStep]).decode


def reached_step(row: StepRow, cost: list[Amount]) -> ReachedStep:
    """Return a step from the row that a fold of the log gives."""
    values = {name: getattr(row, name) for name in _OF_ROW}
    return ReachedStep(**values | {name: values[name] or NULL for name in _DOCUMENTS}, cost=cost)


def decode_children(rows: msgspec.Raw) -> dict[str, list[ChildExecution]]:
    """Return executions by the step that started them."""
    children: dict[str, list[ChildExecution]] = {}
    for row in _decode_children(rows):
        values = {name: getattr(row, name) for name in ChildExecution.__struct_fields__}
        children.setdefault(row.step, []).append(ChildExecution(**values))
    return children


def step_views(
    planned: list[DefinedStep],
    found: Mapping[str, ReachedStep],
    children: Mapping[str, list[ChildExecution]],
    attempts: Mapping[str, list[AttemptView]],
) -> list[StepView]:
    """Return the steps in the order of the definition, then the steps that undo others, in the order of `found`.

    found: reached steps by id. children: by the step that started them. attempts: by their step.
    """
    known = {step.id for step in planned}
    undoing = {undo.id: undo for step in planned if (undo := _undoing(step)) is not None}
    others = [undoing.get(id) or DefinedStep(id) for id in found if id not in known]
    return [
        _step(step, found.get(step.id), children.get(step.id, []), attempts.get(step.id, []))
        for step in (*planned, *others)
    ]


def unreached(step: StepView) -> StepView:
    """Return the view of a step before it is reached."""
    return StepView(
        id=step.id,
        name=step.name,
        type=step.type,
        depends_on=step.depends_on,
        agent=step.agent,
        compensates=step.compensates,
        output=NULL,
        error=NULL,
        conditions=NULL,
    )


def _undoing(step: DefinedStep) -> DefinedStep | None:
    undo = step.compensation
    if undo is None:
        return None
    return DefinedStep(compensation_id(step.id), type=undo.type, agent=undo.agent, compensates=step.id)


def _step(
    planned: DefinedStep, row: ReachedStep | None, children: list[ChildExecution], attempts: list[AttemptView]
) -> StepView:
    view = StepView(
        id=planned.id,
        name=planned.name,
        type=planned.type,
        depends_on=planned.depends_on,
        agent=planned.agent,
        compensates=planned.compensates,
        children=children,
        attempt_list=attempts,
        output=NULL,
        error=NULL,
        conditions=NULL,
    )
    if row is None:
        return view
    return msgspec.structs.replace(
        view,
        status=row.status,
        attempts=row.attempt or 0,
        agent=row.agent or planned.agent,
        input=None if row.parameters == NULL else StepInput(row.message, row.parameters),
        output=row.output,
        error=row.error,
        skip_reason=row.skip_reason,
        cancel_reason=row.cancel_reason,
        scheduled_at=row.scheduled_at,
        started_at=row.started_at,
        completed_at=row.ended_at,
        due_at=row.due_at if row.status in (WAITING, RETRYING) else None,
        chosen=row.chosen,
        conditions=row.conditions,
        compensation=row.compensation,
        duration=seconds(row.started_at, row.ended_at),
        cost=row.cost,
        usage=usage_of(row),
        items=None if row.items is None else ItemsProgress(row.items, row.items_completed, row.items_failed or 0),
        round=row.round,
    )


def usage_of(step: ReachedStep) -> TokenUsage | None:
    """Return the tokens that a step used; None without any."""
    if not step.input_tokens and not step.output_tokens:
        return None
    return TokenUsage(step.input_tokens, step.output_tokens)


def seconds(begin: datetime | None, end: datetime | None) -> float | None:
    """Return the time from `begin` to `end`; None while either is None."""
    return None if begin is None or end is None else (end - begin).total_seconds()
