"""Execution trees as candidates for the archive: their executions, their events, and why one has to stay."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row

from store.archive.manifest import ArchivedExecution
from store.archive.removing import extents

ROOTS = 200
"""The trees that one look-up considers."""

_ROOTS = f"""select r.execution_id, r.position from execution_list r
where r.parent_id is null and r.ended_at < %(before)s and r.position > %(after)s
  and not exists (select from archived_executions a where a.execution_id = r.execution_id)
  and not exists (select from planned_roots p where p.root = r.execution_id)
order by r.position limit {ROOTS}"""
_COLUMNS = """coalesce(l.root_id, l.execution_id) as root_id, l.execution_id, l.process_id, l.process, l.version,
  l.trigger, l.status, l.body is not null as body, l.position, l.started_at, l.ended_at, l.last_position"""
_MEMBERS = f"""select {_COLUMNS} from execution_list l where l.execution_id = any(%(roots)s)
union all select {_COLUMNS} from execution_list l where l.root_id = any(%(roots)s)"""
_DESCENDANTS = "select root, descendants from families where root = any(%(roots)s)"
_PLANNED = "create temporary table planned_roots (root uuid primary key)"
_PLAN = "insert into planned_roots select unnest(%s::uuid[])"
# By reason, the executions that cannot leave yet.
_HELD = {
    "work_remains": """select distinct x.id from unnest(%(ids)s::uuid[]) as x(id)
      where exists (select from due_steps d where d.execution_id = x.id)
        or exists (select from due_timers d where d.execution_id = x.id)
        or exists (select from admissions d where d.execution_id = x.id)
        or exists (select from set_aside d where d.execution_id = x.id)
        or exists (select from outbox d where d.source = x.id)
      union select recipient as id from outbox where recipient = any(%(ids)s)""",
    "dead_letters": """select distinct e.originator_id as id from dead_letters d
      join stored_events e on e.notification_id = d.position where e.originator_id = any(%(ids)s)""",
    "inbox_entries": "select distinct stream as id from inbox_entries where stream = any(%(ids)s)",
    # The catalogue shows the newest execution of each process: it leaves after all older ones.
    "newest_of_process": """select c.last_execution_id as id
      from process_catalogue c join unnest(%(ids)s::uuid[], %(of)s::uuid[]) as x(id, root) on x.id = c.last_execution_id
      where exists (select from execution_list l where l.process_id = c.process_id and l.body is null
        and coalesce(l.root_id, l.execution_id) <> x.root
        and not exists (select from archived_executions a where a.execution_id = l.execution_id)
        and not exists (select from planned_roots p where p.root = coalesce(l.root_id, l.execution_id)))""",
}
NOT_ENDED, NOT_PROCESSED = "not_ended", "not_processed"
REASONS = (NOT_ENDED, NOT_PROCESSED, *_HELD)


class LeavingTree(msgspec.Struct, frozen=True):
    """A root execution with its descendants. size: the bytes of the states. held: why it stays; empty: it may leave."""

    root: UUID
    executions: list[ArchivedExecution]
    events: int
    size: int
    first: int
    last: int
    held: str = ""


def begin_planning(connection: Connection[Any]) -> None:
    """Make the connection ready for `trees_after`."""
    connection.execute(_PLANNED)


def plan_to_leave(connection: Connection[Any], trees: Sequence[LeavingTree]) -> None:
    """Have `trees_after` on this connection take trees as gone."""
    connection.execute(_PLAN, ([tree.root for tree in trees],))


def trees_after(
    connection: Connection[Any], ended_before: datetime, after: int, floor: int
) -> tuple[list[LeavingTree], int | None]:
    """Return up to ROOTS trees whose root ended before a time and began behind a position, and where to go on.

    floor: the position up to which every read model and policy has read the log. None: there are no more.
    """
    found = _rows(connection, _ROOTS, {"before": ended_before, "after": after})
    if not found:
        return [], None
    roots = [row["execution_id"] for row in found]
    members: dict[UUID, list[dict[str, Any]]] = {root: [] for root in roots}
    for row in _rows(connection, _MEMBERS, {"roots": roots}):
        members[row["root_id"]].append(row)
    ids = [row["execution_id"] for rows in members.values() for row in rows]
    of = [row["root_id"] for rows in members.values() for row in rows]
    held: dict[UUID, str] = {}
    for reason, query in _HELD.items():
        for row in _rows(connection, query, {"ids": ids, "of": of}):
            held.setdefault(row["id"], reason)
    streams = extents(connection, ids)
    counted = {row["root"]: row["descendants"] for row in _rows(connection, _DESCENDANTS, {"roots": roots})}
    trees = []
    for root, rows in members.items():
        own = [streams[row["execution_id"]] for row in rows if row["execution_id"] in streams]
        reason = _ended(rows, ended_before) or next(
            (held[r["execution_id"]] for r in rows if r["execution_id"] in held), ""
        )
        known = len(own) == len(rows) == counted.get(root, 0) + 1 and all(
            streams[row["execution_id"]].last == row["last_position"] <= floor for row in rows
        )
        trees.append(
            LeavingTree(
                root,
                [_execution(row, streams[row["execution_id"]].events) for row in rows] if known and not reason else [],
                sum(each.events for each in own),
                sum(each.size for each in own),
                min((each.first for each in own), default=0),
                max((each.last for each in own), default=0),
                reason or ("" if known else NOT_PROCESSED),
            )
        )
    return trees, found[-1]["position"]


def portions(trees: Sequence[LeavingTree], most_events: int, most_bytes: int) -> list[list[LeavingTree]]:
    """Return trees in groups of at most so many events and bytes; a larger tree is a group of its own."""
    groups: list[list[LeavingTree]] = []
    events = size = 0
    for tree in trees:
        if not groups or events + tree.events > most_events or size + tree.size > most_bytes:
            groups.append([])
            events = size = 0
        groups[-1].append(tree)
        events, size = events + tree.events, size + tree.size
    return groups


def _ended(rows: Sequence[dict[str, Any]], before: datetime) -> str:
    return "" if all(row["ended_at"] is not None and row["ended_at"] < before for row in rows) else NOT_ENDED


def _execution(row: dict[str, Any], events: int) -> ArchivedExecution:
    given = {name: row[name] for name in ArchivedExecution.__struct_fields__ if name in row}
    return ArchivedExecution(**given, started_position=row["position"], events=events)


def _rows(connection: Connection[Any], query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return rows with ids as UUID, which the connection loads as bytes."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query, given).fetchall()
    return [{name: UUID(bytes=v) if type(v) is bytes else v for name, v in row.items()} for row in found]
