"""Steps of an execution: those it has reached, and those it has not, in the order of the definition."""

import threading
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.language import load_definition
from domain.language.types.steps import compensation_id
from domain.processes.events import ProcessPublished
from domain.processes.plan import Plan, compile_plan
from domain.refusal import NotFound
from queries.amounts import Amount
from queries.reading import fetch
from store.mapper import decode

_STEPS = "select definition from process_versions where process_id = %s and version = %s"
# Versions are published as 1, 2, 3...
_PUBLISHED = """select topic, state from stored_events where originator_id = %s and topic = 'ProcessPublished'
order by originator_version offset %s - 1 limit 1"""


class StepInput(msgspec.Struct, frozen=True):
    """What the agent is given. Of a notification: the text, and where it goes. Of a sub-process: the child's input."""

    message: msgspec.Raw
    parameters: msgspec.Raw


class TokenUsage(msgspec.Struct, frozen=True):
    """Tokens used by all attempts together."""

    input_tokens: int
    output_tokens: int


class ChildExecution(msgspec.Struct, frozen=True):
    """An execution that an attempt of the step started."""

    execution_id: UUID
    attempt: int
    process: str
    version: int
    status: str


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step. status ``pending``: not reached. attempts: how many began. duration: of the last one, in seconds.

    error: of the last attempt that ended badly, also while another one is to come. due_at: until when a step that is
    ``waiting`` or ``retrying`` waits. chosen: where a gateway leads, or a step that was diverted for its error;
    conditions: what the gateway looked at, as {target, value, condition}. children: of a sub-process, the newest last.
    compensation: ``started``, ``completed`` or ``failed`` once the step is undone; compensates: the step that this one,
    which is shown once it is reached, undoes.
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
    compensation: str | None = None
    compensates: str | None = None


class _Compensation(msgspec.Struct, frozen=True):
    type: str = "agent_task"
    agent: str | None = None


class _PlannedStep(msgspec.Struct, frozen=True):
    id: str
    name: str | None = None
    type: str = "agent_task"
    agent: str | None = None
    depends_on: list[str] = []
    compensation: _Compensation | None = None
    compensates: str | None = None


class _Definition(msgspec.Struct, frozen=True):
    steps: list[_PlannedStep]


class StepRow(msgspec.Struct, frozen=True):
    """A step as its read table has it."""

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
    duration: float | None
    input_tokens: int | None
    output_tokens: int | None
    unpriced: int
    cost: list[Amount]


class _ChildRow(ChildExecution, frozen=True):
    step: str


NULL = msgspec.Raw(b"null")
_decode_children = msgspec.json.Decoder(list[_ChildRow]).decode
decode_steps = msgspec.json.Decoder(list[StepRow]).decode
_decode_definition = msgspec.json.Decoder(_Definition).decode


def decode_children(rows: msgspec.Raw) -> dict[str, list[ChildExecution]]:
    """Executions by the step that started them."""
    children: dict[str, list[ChildExecution]] = {}
    for row in _decode_children(rows):
        child = ChildExecution(row.execution_id, row.attempt, row.process, row.version, row.status)
        children.setdefault(row.step, []).append(child)
    return children


class Definitions:
    """The steps of published versions, read once: a version never changes."""

    def __init__(self, size: int = 1_000) -> None:
        self._size = size
        self._kept: dict[tuple[UUID, int], list[_PlannedStep]] = {}
        self._compiled: dict[tuple[UUID, int], tuple[Plan, list[_PlannedStep]]] = {}
        self._keeping = threading.Lock()

    def steps(self, connection: Connection[DictRow], process_id: UUID, version: int) -> list[_PlannedStep]:
        """The steps of a version in order; none while its read model has not seen it."""
        kept = self._kept.get((process_id, version))
        if kept is not None:
            return kept
        rows = fetch(connection, _STEPS, (process_id, version))
        if not rows:
            return []
        steps = _decode_definition(rows[0]["definition"]).steps
        with self._keeping:
            if len(self._kept) >= self._size:
                self._kept.clear()
            self._kept[process_id, version] = steps
        return steps

    def compiled(
        self, connection: Connection[DictRow], process_id: UUID, version: int
    ) -> tuple[Plan, list[_PlannedStep]]:
        """What the engine runs of a version, and its steps in order, as the log has them. Raises NotFound."""
        kept = self._compiled.get((process_id, version))
        if kept is not None:
            return kept
        rows = fetch(connection, _PUBLISHED, (process_id, version))
        if not rows:
            raise NotFound(f"the process has no version {version}")
        published = decode(rows[0]["topic"], rows[0]["state"])
        assert isinstance(published, ProcessPublished)
        plan = compile_plan(load_definition(published.definition), process_id, version)
        found = plan, msgspec.convert(published.definition, _Definition).steps
        with self._keeping:
            if len(self._compiled) >= self._size:
                self._compiled.clear()
            self._compiled[process_id, version] = found
        return found


def step_views(
    planned: list[_PlannedStep], found: dict[str, StepRow], children: Mapping[str, list[ChildExecution]]
) -> list[StepView]:
    """The steps in the order of the definition, `found` by id; then those that undo others, in the order of `found`.

    children: by the step that started them.
    """
    known = {step.id for step in planned}
    undoing = {undo.id: undo for step in planned if (undo := _undoing(step)) is not None}
    others = [undoing.get(id) or _PlannedStep(id) for id in found if id not in known]
    return [_step(step, found.get(step.id), children.get(step.id, [])) for step in (*planned, *others)]


def unreached(step: StepView) -> StepView:
    """The view of a step before it is reached."""
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


def _undoing(step: _PlannedStep) -> _PlannedStep | None:
    undo = step.compensation
    if undo is None:
        return None
    return _PlannedStep(compensation_id(step.id), type=undo.type, agent=undo.agent, compensates=step.id)


def _step(planned: _PlannedStep, row: StepRow | None, children: list[ChildExecution]) -> StepView:
    view = StepView(
        id=planned.id,
        name=planned.name,
        type=planned.type,
        depends_on=planned.depends_on,
        agent=planned.agent,
        compensates=planned.compensates,
        children=children,
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
        due_at=row.due_at,
        chosen=row.chosen,
        conditions=row.conditions,
        compensation=row.compensation,
        duration=row.duration,
        cost=row.cost,
        usage=usage_of(row),
    )


def usage_of(step: StepRow) -> TokenUsage | None:
    """Tokens used; None when there were none."""
    if not step.input_tokens and not step.output_tokens:
        return None
    return TokenUsage(step.input_tokens or 0, step.output_tokens or 0)
