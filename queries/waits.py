"""The waits of executions: the entries of a view in one order, and the SQL that reads them for a list."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.executions.events.outcomes import QUEUED
from domain.executions.waiting import AGENT, AWAITED_KINDS, RATE, SLOT, awaited_by_execution, awaited_by_step
from queries.filters import Where
from queries.reading import fetch

if TYPE_CHECKING:
    from queries.steps import StepView

LISTED = 20  # entries of each execution in a list

# The agents that admit no call for a time, by rate, tokens or a pause; there is a row an agent that has limits.
_LIMITED = """
      select agent, greatest(free_at, paused_until) as until from agent_limits
      where greatest(free_at, paused_until) > now()"""
# A step that waits for a worker's call has a row in the due list, which each append moves. Every other one has a row in
# the read table. As the list is ahead of the read table at times, a step may have both.
_WAITS = f"""
    select w.kind, w.step, w.until from execution_list_waits w where w.execution_id = l.execution_id
    union all
    select case when r.until is null then 'agent' else 'rate' end, d.step, r.until
    from due_steps d left join ({_LIMITED}) r on r.agent = d.agent and d.owner is null
    where d.execution_id = l.execution_id and not exists (
      select from execution_list_waits w where w.execution_id = d.execution_id and w.step = d.step)"""
_ORDER = f'array_position(array{list(AWAITED_KINDS)}, w.kind), w.step collate "C"'
COLUMNS = f"""
  case when l.ended_at is null then (
    select json_agg(json_build_object('kind', w.kind, 'step', w.step, 'until', w.until)) from (
      select w.* from ({_WAITS}) w order by {_ORDER} limit {LISTED}) w) end as waiting_for,
  case when l.ended_at is null then (select count(*) from ({_WAITS}) w) else 0 end as waiting_count"""
_LIMITED_STEPS = f"""select d.step, r.until from due_steps d join ({_LIMITED}) r on r.agent = d.agent
where d.execution_id = %s and d.owner is null"""
_FIRST = """(
  select l.position from execution_list l where {where} and l.execution_id in ({source})
  order by {order} limit %(rows)s)"""
_OF_STEPS = "select execution_id from execution_list_waits where kind in ({})"
_BESIDE = {
    AGENT: f"""select execution_id from due_steps d where not exists (
      select from ({_LIMITED}) r where r.agent = d.agent and d.owner is null)""",
    RATE: f"select d.execution_id from ({_LIMITED}) r join due_steps d on d.agent = r.agent and d.owner is null",
    SLOT: f"select execution_id from execution_list where status = '{QUEUED}'",
}


class Wait(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that an execution waits for.

    kind: ``approval``, ``timer``, ``child``, ``slot``, ``retry``, ``agent`` or ``rate``.
    step: the step that waits; None where the execution itself does, for a concurrency slot. until: the end of the wait
    of a timer or a retry, the deadline of an approval, and when the rate, the tokens or a pause of the agent admit the
    next call, for the first of the steps that wait; left out where there is none.
    """

    kind: str
    step: str | None
    until: datetime | None = None


_decode = msgspec.json.Decoder(list[Wait]).decode


def decode_waits(rows: msgspec.Raw | None) -> list[Wait]:
    """Return the waits that the column of a list holds."""
    return [] if rows is None else _decode(rows)


def waits_of(status: str, steps: "Iterable[StepView]") -> list[Wait]:
    """Return everything that an execution in `status` with `steps` waits for, people first."""
    found = [
        Wait(kind, step.id, step.due_at)
        for step in steps
        if (kind := awaited_by_step(step.status, step.type)) is not None
    ]
    found.sort(key=lambda wait: (AWAITED_KINDS.index(wait.kind), wait.step))
    return [*waits_of_execution(status), *found]


def limited_steps(connection: Connection[DictRow], execution_id: UUID) -> dict[str, datetime]:
    """Return the steps of an execution whose agents admit no call now, each with until when."""
    return {row["step"]: row["until"] for row in fetch(connection, _LIMITED_STEPS, (execution_id,))}


def with_rates(waits: list[Wait], limited: Mapping[str, datetime]) -> list[Wait]:
    """Return the waits of an execution; those for the agents of the steps `limited` are waits for a rate."""
    rates = [Wait(RATE, wait.step, limited[wait.step or ""]) for wait in waits if _is_limited(wait, limited)]
    return [wait for wait in waits if not _is_limited(wait, limited)] + rates if rates else waits


def _is_limited(wait: Wait, limited: Mapping[str, datetime]) -> bool:
    return wait.kind == AGENT and wait.step in limited


def waits_of_execution(status: str) -> list[Wait]:
    """Return what an execution in `status` itself waits for."""
    kind = awaited_by_execution(status)
    return [] if kind is None else [Wait(kind, None)]


def where_waiting_for(where: Where, kinds: list[str], order: str) -> None:
    """Require an execution that waits for one of `kinds`; nothing without kinds. Call it after the other conditions.

    order: of the list. Each source of waits gives its own first `rows` in it, so that one with few executions and one
    with many are both fast.
    """
    if not kinds:
        return
    # As literals: the server plans for those kinds, of which one may have three rows and another a million.
    literals = ", ".join(f"'{kind}'" for kind in AWAITED_KINDS if kind in kinds)
    sources = [_OF_STEPS.format(literals), *(query for kind, query in _BESIDE.items() if kind in kinds)]
    first = [_FIRST.format(where=where.sql, source=source, order=order) for source in sources]
    where.holds(f"l.position in ({' union all '.join(first)})")
