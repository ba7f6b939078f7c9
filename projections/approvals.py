"""What were people asked, and what did they decide: a row an approval."""

from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from domain.executions.timers import DEADLINE
from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from store import arrays

Key = tuple[bytes, str, int]


class Closed(msgspec.Struct, gc=False):
    """How an approval ended; decided_by only where somebody decided."""

    last_position: int
    status: str
    decided_at: datetime
    decided_by: str | None = None
    comment: str | None = None


class Row(msgspec.Struct, gc=False):
    """What was asked. closed: how that ended, if it did."""

    position: int
    asked: Any
    deadline: datetime | None
    closed: Closed | None = None


class Changes:
    """asked: approvals that a page asks for, whole. closed: ends of others. moved: deadlines of the approval that was
    asked for last of a step, before anything else that the page asks of it.
    """

    __slots__ = ("asked", "closed", "last", "moved")

    def __init__(self) -> None:
        self.asked: dict[Key, Row] = {}
        self.closed: dict[Key, Closed] = {}
        self.moved: dict[tuple[bytes, str], datetime] = {}
        self.last: dict[tuple[bytes, str], Row] = {}


def _requested(changes: Changes, fact: Fact) -> None:
    event = fact.event
    key = fact.stream, event.step, event.attempt
    changes.closed.pop(key, None)
    row = changes.asked[key] = Row(fact.position, event, event.deadline)
    changes.last[fact.stream, event.step] = row


def _close(changes: Changes, fact: Fact, closed: Closed) -> None:
    key = fact.stream, fact.event.step, fact.event.attempt
    row = changes.asked.get(key)
    if row is None:
        changes.closed[key] = closed
    else:
        row.closed = closed


def _decided(status: str) -> Handler[Changes]:
    def handler(changes: Changes, fact: Fact) -> None:
        event = fact.event
        _close(changes, fact, Closed(fact.position, status, event.at, clean(event.by), clean(event.comment)))

    return handler


def _ended(status: str) -> Handler[Changes]:
    return lambda changes, fact: _close(changes, fact, Closed(fact.position, status, fact.event.at))


def _moved(changes: Changes, fact: Fact) -> None:
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

CLOSE = """
update approvals t set status = x.status, decided_at = x.decided_at, decided_by = x.decided_by, comment = x.comment,
  last_position = x.last_position
from unnest(%b, %b, %b, %b, %b, %b, %b, %b)
  as x(execution_id, step, attempt, status, decided_at, decided_by, comment, last_position)
where t.execution_id = x.execution_id and t.step = x.step and t.attempt = x.attempt"""

UPSERT = f"""
insert into approvals as t (
  execution_id, step, attempt, approval_id, position, process_id, process, title, description, approvers, artifacts,
  requested_at, deadline, status, decided_at, decided_by, comment, last_position)
select * from unnest({", ".join(["%b"] * 18)})
on conflict (execution_id, step, attempt) do update set
  approval_id = excluded.approval_id, position = excluded.position, process_id = excluded.process_id,
  process = excluded.process, title = excluded.title, description = excluded.description,
  approvers = excluded.approvers, artifacts = excluded.artifacts, requested_at = excluded.requested_at,
  deadline = excluded.deadline, status = excluded.status, decided_at = excluded.decided_at,
  decided_by = excluded.decided_by, comment = excluded.comment, last_position = excluded.last_position"""


class Approvals(Projection[Changes]):
    """approvals. position: of the event that asked. decided_at: when it was decided, expired or was cancelled."""

    name = "approvals"
    tables = ("approvals",)
    ddl = """
    create table approvals (
      execution_id uuid not null,
      step text not null,
      attempt int not null,
      approval_id text not null,
      position bigint not null,
      process_id uuid not null,
      process text not null,
      title text not null,
      description text not null,
      approvers json not null,
      artifacts json not null,
      requested_at timestamptz not null,
      deadline timestamptz,
      status text not null,
      decided_at timestamptz,
      decided_by text,
      comment text,
      last_position bigint not null,
      primary key (execution_id, step, attempt)
    ) with (fillfactor = 80);
    """
    indexes = (
        "create unique index approvals_position_idx on approvals (position)",
        "create index approvals_status_idx on approvals (status, position)",
        "create index approvals_process_idx on approvals (process_id, position)",
    )
    handlers: dict[str, Handler[Changes]] = {
        "ApprovalRequested": _requested,
        "ApprovalGranted": _decided("granted"),
        "ApprovalRefused": _decided("refused"),
        "ApprovalChangesRequested": _decided("changes_requested"),
        "ApprovalExpired": _ended("expired"),
        "ApprovalCancelled": _ended("cancelled"),
        "TimerMoved": _moved,
    }

    def changes(self) -> Changes:
        return Changes()

    def write(self, connection: Connection[Any], changes: Changes) -> None:
        if changes.moved:
            connection.execute(MOVE, _moves(changes.moved), prepare=True)
        if changes.closed:
            connection.execute(CLOSE, _ends(changes.closed), prepare=True)
        if changes.asked:
            connection.execute(UPSERT, _rows(changes.asked), prepare=True)


def _moves(moved: dict[tuple[bytes, str], datetime]) -> tuple[arrays.Array, ...]:
    return (
        arrays.uuid_bytes([execution for execution, _ in moved]),
        arrays.texts([step for _, step in moved]),
        arrays.timestamptzs(list(moved.values())),
    )


def _keys(keys: dict[Key, Any]) -> tuple[arrays.Array, ...]:
    return (
        arrays.uuid_bytes([execution for execution, _, _ in keys]),
        arrays.texts([step for _, step, _ in keys]),
        arrays.ints([attempt for _, _, attempt in keys]),
    )


def _ends(closed: dict[Key, Closed]) -> tuple[arrays.Array, ...]:
    ends = closed.values()
    return (
        *_keys(closed),
        arrays.texts([end.status for end in ends]),
        arrays.timestamptzs([end.decided_at for end in ends]),
        arrays.texts([end.decided_by for end in ends]),
        arrays.texts([end.comment for end in ends]),
        arrays.bigints([end.last_position for end in ends]),
    )


def _rows(asked: dict[Key, Row]) -> tuple[arrays.Array, ...]:
    rows = asked.values()
    ends = [row.closed for row in rows]
    return (
        *_keys(asked),
        arrays.texts([row.asked.approval_id for row in rows]),
        arrays.bigints([row.position for row in rows]),
        arrays.uuids([row.asked.process_id for row in rows]),
        arrays.texts([row.asked.process for row in rows]),
        arrays.texts([clean(row.asked.title) for row in rows]),
        arrays.texts([clean(row.asked.description, 1_000_000) for row in rows]),
        arrays.jsons([bytes(row.asked.approvers) for row in rows]),
        arrays.jsons([bytes(row.asked.artifacts) for row in rows]),
        arrays.timestamptzs([row.asked.at for row in rows]),
        arrays.timestamptzs([row.deadline for row in rows]),
        arrays.texts(["open" if end is None else end.status for end in ends]),
        arrays.timestamptzs([None if end is None else end.decided_at for end in ends]),
        arrays.texts([None if end is None else end.decided_by for end in ends]),
        arrays.texts([None if end is None else end.comment for end in ends]),
        arrays.bigints(
            [row.position if end is None else end.last_position for row, end in zip(rows, ends, strict=True)]
        ),
    )
