"""The approvals that steps requested, and the end of each: a row an approval."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.executions.timers import DEADLINE
from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.table import Table, always, key, replaced
from store import arrays

ApprovalKey = tuple[bytes, str, int]


class ApprovalRow(msgspec.Struct, gc=False, kw_only=True):
    """An approval, whole. position: of the event that requested it. decided_by: of a decision only."""

    execution_id: Annotated[bytes, key("uuid not null")]
    step: Annotated[str, key("text not null")]
    attempt: Annotated[int, key("int not null")]
    approval_id: Annotated[str, always("text")]
    position: Annotated[int, always("bigint")]
    process_id: Annotated[UUID, always("uuid")]
    process: Annotated[str, always("text")]
    title: Annotated[str, always("text")]
    description: Annotated[str, always("text")]
    approvers: Annotated[list[str], always("json")]
    artifacts: Annotated[msgspec.Raw, always("json")]
    requested_at: Annotated[datetime, always("timestamptz")]
    deadline: Annotated[datetime | None, replaced("timestamptz")]
    status: Annotated[str, always("text")] = "open"
    decided_at: Annotated[datetime | None, replaced("timestamptz")] = None
    decided_by: Annotated[str | None, replaced("text")] = None
    comment: Annotated[str | None, replaced("text")] = None
    last_position: Annotated[int, always("bigint")]


APPROVALS = Table("approvals", ApprovalRow, "fillfactor = 80")
OF_END = ("status", "decided_at", "decided_by", "comment", "last_position")


class End(msgspec.Struct, gc=False):
    """The end of an approval; decided_by only of a decision."""

    execution_id: bytes
    step: str
    attempt: int
    last_position: int
    status: str
    decided_at: datetime
    decided_by: str | None = None
    comment: str | None = None


class ApprovalChanges:
    """The changes of a page. requested: its approvals by key. last: the latest of them by step. ended: ends of others.

    moved: by step, deadlines of the latest approval that an earlier page requested.
    """

    __slots__ = ("ended", "last", "moved", "requested")

    def __init__(self) -> None:
        self.requested: dict[ApprovalKey, ApprovalRow] = {}
        self.ended: dict[ApprovalKey, End] = {}
        self.moved: dict[tuple[bytes, str], datetime] = {}
        self.last: dict[tuple[bytes, str], ApprovalRow] = {}


def _requested(changes: ApprovalChanges, fact: Fact) -> None:
    event = fact.event
    key = fact.stream, event.step, event.attempt
    changes.ended.pop(key, None)
    changes.requested[key] = changes.last[fact.stream, event.step] = ApprovalRow(
        execution_id=fact.stream,
        step=event.step,
        attempt=event.attempt,
        approval_id=event.approval_id,
        position=fact.position,
        process_id=event.process_id,
        process=event.process,
        title=clean(event.title),
        description=clean(event.description, 1_000_000),
        approvers=event.approvers,
        artifacts=event.artifacts,
        requested_at=event.at,
        deadline=event.deadline,
        last_position=fact.position,
    )


def _end(changes: ApprovalChanges, end: End) -> None:
    key = end.execution_id, end.step, end.attempt
    row = changes.requested.get(key)
    if row is None:
        changes.ended[key] = end
    else:
        for column in OF_END:
            setattr(row, column, getattr(end, column))


def _decided(status: str) -> Handler[ApprovalChanges]:
    def handle(changes: ApprovalChanges, fact: Fact) -> None:
        event = fact.event
        by, comment = clean(event.by), clean(event.comment)
        _end(changes, End(fact.stream, event.step, event.attempt, fact.position, status, event.at, by, comment))

    return handle


def _ended(status: str) -> Handler[ApprovalChanges]:
    def handle(changes: ApprovalChanges, fact: Fact) -> None:
        event = fact.event
        _end(changes, End(fact.stream, event.step, event.attempt, fact.position, status, event.at))

    return handle


def _moved(changes: ApprovalChanges, fact: Fact) -> None:
    if fact.event.kind != DEADLINE:
        return
    of_step = fact.stream, fact.event.step
    if of_step in changes.last:
        changes.last[of_step].deadline = fact.event.due_at
    else:
        changes.moved[of_step] = fact.event.due_at


MOVE = """
update approvals t set deadline = x.deadline
from unnest(%b, %b, %b) as x(execution_id, step, deadline)
where t.execution_id = x.execution_id and t.step = x.step and t.position = (
  select max(position) from approvals a where a.execution_id = x.execution_id and a.step = x.step)"""


class ApprovalsProjection(Projection[ApprovalChanges]):
    """approvals. position: of the event that requests it. decided_at: of the decision, expiry or cancellation."""

    name = "approvals"
    tables = ("approvals",)
    ddl = APPROVALS.ddl
    leaving = dict.fromkeys(tables, "execution_id")
    indexes = (
        "create unique index approvals_position_idx on approvals (position)",
        "create index approvals_status_idx on approvals (status, position)",
        "create index approvals_process_idx on approvals (process_id, position)",
    )
    handlers: dict[str, Handler[ApprovalChanges]] = {
        "ApprovalRequested": _requested,
        "ApprovalGranted": _decided("granted"),
        "ApprovalRefused": _decided("refused"),
        "ApprovalChangesRequested": _decided("changes_requested"),
        "ApprovalExpired": _ended("expired"),
        "ApprovalCancelled": _ended("cancelled"),
        "TimerMoved": _moved,
    }

    def changes(self) -> ApprovalChanges:
        return ApprovalChanges()

    def write(self, connection: Connection[Any], changes: ApprovalChanges) -> None:
        if changes.moved:
            connection.execute(MOVE, _moves(changes.moved), prepare=True)
        APPROVALS.update(connection, changes.ended.values(), *OF_END)
        APPROVALS.write(connection, changes.requested.values())


def _moves(moved: dict[tuple[bytes, str], datetime]) -> tuple[arrays.Array, ...]:
    return (
        arrays.uuid_bytes([execution for execution, _ in moved]),
        arrays.texts([step for _, step in moved]),
        arrays.timestamptzs(list(moved.values())),
    )
