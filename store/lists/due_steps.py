"""The due list of workers: which attempts are due, which worker has claimed each, and which workers live."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.catalogue import STORED_NAMES
from domain.executions.events.outcomes import ABANDONS_ATTEMPT, LEAVES_WORKER
from domain.executions.events.step import StepScheduled, StepStarted
from store import arrays
from store.lists.kept import Arguments, FoldingProof, KeptList, ListDifference, Moves, tuples
from store.lists.turns import NO_PROCESS, StepGroup
from store.unit import StreamChange

# A worker that cannot begin an attempt leaves it to other workers for so long.
LATER = timedelta(seconds=3)

RENEW = """
insert into workers (worker_id, host, pid, lease_until) values (%s, %s, %s, now() + %s)
on conflict (worker_id) do update set lease_until = excluded.lease_until"""

# The most rows that a worker puts back on the list by one statement: no transaction grows with what was claimed.
BATCH = 1_000

# Rows whose worker is gone or late go back on the list. The statement walks from worker to worker over the index, and
# skips rows that another transaction has locked.
RELEASE_LOST = """
with recursive owners(owner) as (
  (select d.owner from due_steps d where d.owner is not null order by d.owner limit 1)
  union all
  select next.owner from owners o cross join lateral (
    select d.owner from due_steps d where d.owner > o.owner order by d.owner limit 1) as next),
lost as (
  select d.execution_id, d.step from owners o cross join lateral (
    select d.execution_id, d.step from due_steps d where d.owner = o.owner limit %(batch)s for update skip locked) as d
  where not exists (select from workers w where w.worker_id = o.owner and w.lease_until > now())
  limit %(batch)s)
update due_steps d set owner = null where d.execution_id = any(array(select execution_id from lost))
  and ((d.execution_id, d.step) in (select execution_id, step from lost)) is true"""
RELEASE_ALL = """
with held as (
  select execution_id, step from due_steps where owner = %(owner)s limit %(batch)s for update skip locked)
update due_steps d set owner = null where d.execution_id = any(array(select execution_id from held))
  and ((d.execution_id, d.step) in (select execution_id, step from held)) is true"""

# The owner's attempts of these keys; no join, as in migration 0038.
OF_OWNER = """d.execution_id = any(%(executions)b) and (d.owner = %(owner)b) is true
  and ((d.execution_id, d.step) in (select * from unnest(%(executions)b, %(steps)b))) is true"""
UNCLAIM = f"update due_steps d set owner = null where {OF_OWNER}"
POSTPONE = f"update due_steps d set owner = null, due_at = now() + %(later)b where {OF_OWNER}"
DROP = f"delete from due_steps d where {OF_OWNER}"

FORGET_LOST = "delete from workers where lease_until < now() - interval '1 hour'"


def unclaim(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str]]) -> None:
    """Put attempts that `owner` claimed but will not begin back on the list."""
    connection.execute(UNCLAIM, _keys(owner, attempts))


def regroup(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str, StepGroup]]) -> None:
    """Put attempts that `owner` claimed but may not begin back on the list, in the groups that the log has for them."""
    if attempts:
        connection.execute(
            """update due_steps d set owner = null, agent = x.agent, process_id = x.process_id
            from unnest(%b, %b, %b, %b) as x(execution_id, step, agent, process_id)
            where d.execution_id = any(%b) and d.execution_id = x.execution_id and d.step = x.step
              and (d.owner = %b) is true""",
            (
                arrays.uuids([execution for execution, _, _ in attempts]),
                arrays.texts([step for _, step, _ in attempts]),
                arrays.texts([agent for _, _, (agent, _) in attempts]),
                arrays.uuids([process for _, _, (_, process) in attempts]),
                arrays.uuids([execution for execution, _, _ in attempts]),
                owner,
            ),
        )


def postpone(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str]]) -> None:
    """Put attempts that `owner` cannot begin back on the list, due a little later: other workers may come first."""
    if attempts:
        connection.execute(POSTPONE, {**_keys(owner, attempts), "later": LATER})


def drop(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str]]) -> None:
    """Strike off attempts of `owner` that are over by the log, or are not in it."""
    connection.execute(DROP, _keys(owner, attempts))


def _keys(owner: UUID, attempts: list[tuple[UUID, str]]) -> dict[str, Any]:
    executions, steps = [execution for execution, _ in attempts], [step for _, step in attempts]
    return {"owner": owner, "executions": arrays.uuids(executions), "steps": arrays.texts(steps)}


def renew(connection: Connection[Any], owner: UUID, host: str, pid: int, lease: timedelta) -> None:
    """Record that `owner` lives, for another `lease`."""
    connection.execute(RENEW, (owner, host, pid, lease), prepare=True)


def release_lost(connection: Connection[Any]) -> int:
    """Put attempts of workers that did not renew back on the list, up to BATCH of them; return how many."""
    return connection.execute(RELEASE_LOST, {"batch": BATCH}, prepare=True).rowcount


def forget_lost(connection: Connection[Any]) -> None:
    """Strike off workers that have not renewed for an hour; there is one row a worker."""
    connection.execute(FORGET_LOST)


def release_all(connection: Connection[Any], owner: UUID) -> int:
    """Put attempts of the leaving worker `owner` back on the list, up to BATCH; return how many.

    Once the worker has none left, strike it off.
    """
    released = connection.execute(RELEASE_ALL, {"owner": owner, "batch": BATCH}).rowcount
    if released < BATCH:
        connection.execute("delete from workers where worker_id = %s", (owner,))
    return released


def held(connection: Connection[Any], owner: UUID) -> set[tuple[UUID, str, int]]:
    """Return the attempts that `owner` has."""
    rows = connection.execute("select execution_id, step, attempt from due_steps where owner = %s", (owner,))
    return {(row["execution_id"], row["step"], row["attempt"]) for row in rows}


class DueStepMoves(Moves):
    """The attempts that one append puts on the list, and those it strikes off."""

    function = "move_due_steps_v2"

    def __init__(self) -> None:
        self._done: list[tuple[bytes, str]] = []
        self._due: dict[tuple[bytes, str], tuple[int, UUID | None, str, UUID]] = {}
        self._gone = False

    def _scheduled(self, event: StepScheduled, change: StreamChange, stream: bytes, _version: int) -> None:
        self._due[stream, event.step] = event.attempt, None, event.agent, change.process_id or NO_PROCESS

    def _started(self, event: StepStarted, change: StreamChange, stream: bytes, _version: int) -> None:
        key = stream, event.step
        due = self._due.get(key)
        if due is not None:
            self._due[key] = event.attempt, change.owner, due[2], due[3]

    def _left(self, event: Any, _change: StreamChange, stream: bytes, _version: int) -> None:
        key = stream, event.step
        if self._due.pop(key, None) is None:
            self._done.append(key)

    def _abandoned(self, event: Any, change: StreamChange, stream: bytes, version: int) -> None:
        self._left(event, change, stream, version)
        if change.owner is None:
            self._gone = True  # a worker may have a call open whose answer the log no longer needs

    handlers = {
        StepScheduled: _scheduled,
        StepStarted: _started,
        **dict.fromkeys(LEAVES_WORKER, _left),
        **dict.fromkeys(ABANDONS_ATTEMPT, _abandoned),
    }

    def arguments(self) -> Arguments:
        """Return the attempts to strike off, and those to put on."""
        if not (self._due or self._done or self._gone):
            return ()
        attempts, owners, agents, processes = zip(*self._due.values(), strict=True) if self._due else ((), (), (), ())
        return (
            arrays.uuid_bytes([stream for stream, _ in self._done]),
            arrays.texts([step for _, step in self._done]),
            arrays.uuid_bytes([stream for stream, _ in self._due]),
            arrays.texts([step for _, step in self._due]),
            arrays.ints(attempts),
            arrays.uuids(owners),
            arrays.texts(agents),
            arrays.uuids(processes),
            self._gone,
        )


LISTED = "select execution_id, step, attempt, case when process_id <> %s then agent end from due_steps"
STRIKE = """delete from due_steps d using unnest(%b, %b) as x(execution_id, step)
where d.execution_id = x.execution_id and d.step = x.step"""
INSERT = """insert into due_steps (execution_id, step, attempt, due_at, agent, process_id)
select x.execution_id, x.step, x.attempt, x.due_at, x.agent,
  coalesce((convert_from(e.state, 'UTF8')::json ->> 'process_id')::uuid, %b)
from unnest(%b, %b, %b, %b, %b) as x(execution_id, step, attempt, due_at, agent)
left join stored_events e on e.originator_id = x.execution_id and e.originator_version = 1"""

SCHEDULED = STORED_NAMES[StepScheduled]


class _Step(msgspec.Struct, gc=False):
    """The fields of an event that the fold reads."""

    step: str
    at: datetime
    attempt: int = 0
    agent: str = ""


_decode = msgspec.json.Decoder(_Step).decode


Listed = tuple[int, str | None]
"""Attempt and agent; None where the row does not state it."""


class DueStepsProof(FoldingProof):
    """Every attempt that was scheduled and is work for a worker still: its agent, and the time since which it is due.

    A row that does not state its agent is right: a worker of the release before wrote it.
    """

    topics = (SCHEDULED, *sorted(STORED_NAMES[kind] for kind in LEAVES_WORKER))

    def __init__(self) -> None:
        self._due: dict[tuple[bytes, str], tuple[int, datetime, str]] = {}

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for _, stream, _, topic, state in rows:
            event = _decode(state)
            if topic == SCHEDULED:
                self._due[stream, event.step] = event.attempt, event.at, event.agent
            else:
                self._due.pop((stream, event.step), None)

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        expected, listed = self._expected(), _listed(connection)
        wrong = sorted(key for key in expected.keys() | listed.keys() if not _right(listed.get(key), expected.get(key)))
        return len(expected), [_difference(key, listed.get(key), expected.get(key)) for key in wrong]

    def put_right(self, connection: Connection[Any]) -> None:
        expected, listed = self._expected(), _listed(connection)
        wrong = [key for key, row in listed.items() if not _right(row, expected.get(key))]
        missing = [(*key, *row) for key, row in self._due.items() if not _right(listed.get(key), expected[key])]
        if wrong:
            executions = arrays.uuid_bytes([execution for execution, _ in wrong])
            connection.execute(STRIKE, (executions, arrays.texts([step for _, step in wrong])))
        if missing:
            ids, steps, attempts, times, agents = zip(*missing, strict=True)
            columns = arrays.uuid_bytes(ids), arrays.texts(steps), arrays.ints(attempts), arrays.timestamptzs(times)
            connection.execute(INSERT, (NO_PROCESS, *columns, arrays.texts(agents)))

    def _expected(self) -> dict[tuple[bytes, str], Listed]:
        return {key: (attempt, agent) for key, (attempt, _, agent) in self._due.items()}


def _right(listed: Listed | None, expected: Listed | None) -> bool:
    if listed is None or expected is None:
        return listed is expected
    return listed[0] == expected[0] and listed[1] in (None, expected[1])


def _listed(connection: Connection[Any]) -> dict[tuple[bytes, str], Listed]:
    rows = tuples(connection, LISTED, (NO_PROCESS,))
    return {(execution, step): (attempt, agent) for execution, step, attempt, agent in rows}


def _difference(key: tuple[bytes, str], listed: Listed | None, expected: Listed | None) -> ListDifference:
    agents_differ = listed is not None and expected is not None and listed[0] == expected[0]

    def row(of: Listed | None) -> dict[str, Any] | None:
        return None if of is None else {"attempt": of[0]} | ({"agent": of[1]} if agents_differ else {})

    shown = {"execution_id": str(UUID(bytes=key[0])), "step": key[1]}
    return ListDifference(DUE_STEPS.name, shown, row(listed), row(expected))


DUE_STEPS = KeptList("due_steps", DueStepMoves, DueStepsProof)
