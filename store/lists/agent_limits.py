"""Claims of due steps whose agents have limits: the rows of these agents move in the transaction of the claim."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.agents.limits import (
    AgentLimits,
    CallsClaimed,
    LimitUse,
    TokensSpent,
    allowed_from,
    begin_calls,
    calls_allowed,
    correct_tokens,
    send_calls,
)
from store import arrays
from store.listening import LOG_CHANNEL
from store.lists import turns
from store.lists.turns import StepGroup, StepTurn

BUSY_AGAIN = timedelta(milliseconds=20)
"""A worker that finds the row of an agent locked by another claim claims again after so long."""

# A claim never waits for another one: the agents whose rows are locked are left to the next claim.
LOCK = """
select l.agent, l.use, l.paused_until from agent_limits l
where l.agent = any(%(agents)b) and exists (
  select from due_steps d where d.owner is null and d.agent = l.agent and d.due_at <= now())
order by l.agent for update of l skip locked"""
# A statement of its own after the locks: a claim that has just ended is in its snapshot.
OPEN = """
select clock_timestamp() as now, a.agent, exists (
    select from due_steps d where d.owner is null and d.agent = a.agent and d.due_at <= now()) as due, (
    select count(*) from due_steps o where o.agent = a.agent and o.limited and o.owner is not null) as open
from unnest(%(agents)b) as a(agent)"""
NOTE = """
update agent_limits l set use = x.use, free_at = x.free_at
from unnest(%b, %b, %b) as x(agent, use, free_at) where l.agent = any(%b) and l.agent = x.agent"""
ENSURE = "insert into agent_limits (agent) select * from unnest(%b) on conflict (agent) do nothing"
READ_USE = "select agent, use from agent_limits where agent = any(%b) order by agent for update"
PAUSE = f"""
with paused as (
  insert into agent_limits as l (agent, paused_until)
  select x.agent, now() + x.milliseconds * interval '1 millisecond'
  from unnest(%b, %b) as x(agent, milliseconds)
  on conflict (agent) do update set paused_until = greatest(l.paused_until, excluded.paused_until)
  returning agent)
select pg_notify('{LOG_CHANNEL}', 'paused'), agent from paused"""
CLOSED = "select agent from agent_limits where greatest(paused_until, free_at) > now()"


class CallReports(msgspec.Struct):
    """The reports of calls of one agent. sent: their number by the slot of their claim. spent: the tokens they used."""

    sent: dict[int, int] = msgspec.field(default_factory=dict)
    spent: list[TokensSpent] = msgspec.field(default_factory=list)


class LimitedTurns(msgspec.Struct):
    """The turns of a claim. rooms: the most attempts of each agent that it might claim, by limits too.

    admitted: the agents whose attempts were claimed under their limits. counted: for each call, by agent. waits: by
    agent, how long due attempts wait for rate, tokens or the end of a pause.
    """

    turns: list[StepTurn]
    rooms: Mapping[str, int]
    admitted: set[str] = msgspec.field(default_factory=set)
    counted: dict[str, CallsClaimed] = msgspec.field(default_factory=dict)
    waits: dict[str, timedelta] = msgspec.field(default_factory=dict)


class _Row(msgspec.Struct, frozen=True):
    agent: str
    use: LimitUse
    paused_until: datetime | None
    open: int
    now: datetime

    def allowed(self, limits: AgentLimits) -> int:
        paused = self.paused_until is not None and self.paused_until > self.now
        return 0 if paused else calls_allowed(limits, self.use, self.open, self.now)


_decode = msgspec.json.Decoder(LimitUse).decode


def ensure(connection: Connection[Any], agents: Sequence[str]) -> None:
    """Make sure that each of these agents has a row."""
    connection.execute(ENSURE, (arrays.texts(sorted(agents)),))


def claim(
    connection: Connection[Any],
    owner: UUID,
    limit: int,
    rooms: Mapping[str, int],
    after: StepGroup,
    limited: Mapping[str, AgentLimits],
) -> LimitedTurns:
    """Claim as `store.lists.turns.claim` does, and of the agents `limited` as many attempts as their limits allow.

    Each of these agents has a row (`ensure`). The rows are locked until the claim is committed, in milliseconds.
    """
    if not limited:
        return LimitedTurns(turns.claim(connection, owner, limit, rooms, after), rooms)
    with connection.transaction():
        rows, busy = _locked(connection, sorted(limited))
        bounded = {**rooms, **dict.fromkeys(limited, 0)}
        for row in rows:
            bounded[row.agent] = min(rooms.get(row.agent, limit), row.allowed(limited[row.agent]))
        admitted = {agent for agent in limited if bounded[agent] > 0}
        claimed = turns.claim(connection, owner, limit, bounded, after, limited)
        made = LimitedTurns(claimed, bounded, admitted, waits=dict.fromkeys(busy, BUSY_AGAIN))
        _note(connection, rows, limited, made)
    return made


def correct(connection: Connection[Any], reports: Mapping[str, CallReports], limits: Mapping[str, AgentLimits]) -> None:
    """Correct the counts of agents by what their calls report."""
    with connection.transaction():
        rows = connection.execute(READ_USE, (arrays.texts(sorted(reports)),)).fetchall()
        clock = connection.execute("select clock_timestamp() as now").fetchone()
        assert clock is not None
        moved = []
        for row in rows:
            limit, report = limits[row["agent"]], reports[row["agent"]]
            use = send_calls(limit, _decode(row["use"]), report.sent, clock["now"])
            use = correct_tokens(use, report.spent, clock["now"])
            moved.append((row["agent"], use, allowed_from(limit, use, clock["now"])))
        _write(connection, moved)


def pause(connection: Connection[Any], pauses: Mapping[str, timedelta]) -> None:
    """Let no worker call these agents for so long, and notify the workers. A longer pause stays."""
    agents = sorted(pauses)
    milliseconds = [round(pauses[agent] / timedelta(milliseconds=1)) for agent in agents]
    connection.execute(PAUSE, (arrays.texts(agents), arrays.ints(milliseconds)))


def closed(connection: Connection[Any]) -> set[str]:
    """Return the agents that admit no call now, by their limits or by a pause."""
    return {row["agent"] for row in connection.execute(CLOSED, prepare=True)}


def _locked(connection: Connection[Any], agents: Sequence[str]) -> tuple[list[_Row], list[str]]:
    """Return the rows of agents with due attempts that no other claim has, now locked, and the agents of the others."""
    found = connection.execute(LOCK, {"agents": arrays.texts(agents)}, prepare=True).fetchall()
    counted = connection.execute(OPEN, {"agents": arrays.texts(agents)}, prepare=True).fetchall()
    open = {row["agent"]: row for row in counted}
    rows = [
        _Row(row["agent"], _decode(row["use"]), row["paused_until"], each["open"], each["now"])
        for row in found
        for each in (open[row["agent"]],)
    ]
    locked = {row.agent for row in rows}
    return rows, [row["agent"] for row in counted if row["due"] and row["agent"] not in locked]


def _note(
    connection: Connection[Any], rows: Sequence[_Row], limited: Mapping[str, AgentLimits], made: LimitedTurns
) -> None:
    """Write what the claim used, and note what still waits for a time."""
    begun = dict.fromkeys(limited, 0)
    for turn in made.turns:
        if turn.group[0] in begun:
            begun[turn.group[0]] += len(turn.claimed) - len(turn.answered)
    moved = []
    for row in rows:
        limits, calls = limited[row.agent], begun[row.agent]
        use, claimed = begin_calls(limits, row.use, calls, row.now)
        if calls:
            made.counted[row.agent] = claimed
        free_at = allowed_from(limits, use, row.now)
        times = [each for each in (free_at, row.paused_until) if each is not None and each > row.now]
        if times:
            made.waits[row.agent] = max(times) - row.now
        moved.append((row.agent, use, free_at))
    _write(connection, moved)


def _write(connection: Connection[Any], moved: Sequence[tuple[str, LimitUse, datetime | None]]) -> None:
    if moved:
        agents = arrays.texts([agent for agent, _, _ in moved])
        uses = arrays.texts([msgspec.json.encode(use).decode() for _, use, _ in moved])
        times = arrays.timestamptzs([free_at for _, _, free_at in moved])
        connection.execute(NOTE, (agents, uses, times, agents), prepare=True)
