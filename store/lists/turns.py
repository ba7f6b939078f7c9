"""Claims of due steps in turns: each agent and process that waits gets its share of what a worker may claim."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from store import arrays

StepGroup = tuple[str, UUID]
"""The agent and the process of attempts."""

NO_PROCESS = UUID(int=0)
UNKNOWN: StepGroup = ("", NO_PROCESS)
"""The group of attempts that a worker of the release before put on the list."""

LAST_PROCESS = UUID(int=2**128 - 1)

MAX_GROUPS = 64
"""The most groups that one claim gives a turn."""

# Walks from group to group over the index, round from the group after `agent` and `process`, and past all processes of
# an agent that is full. Each group may claim an equal part of `limit`, and the processes of an agent equal parts of its
# room. The quotas add up to what may be claimed: other workers skip locked rows, and would not come back to them. Rows
# are compared whole, so that only the index of turns fits.
CLAIM = """
with recursive walked(agent, process_id, turn, lap) as (
  select %(agent)s::text collate "C", %(process)s::uuid, 0, 0
  union all
  select next.agent, next.process_id, w.turn + 1, next.lap
  from walked w cross join lateral (
    (select d.agent, d.process_id, w.lap from due_steps d
     where d.owner is null and (d.agent, d.process_id) > (w.agent,
       case when w.agent = any(%(full)s) and (w.agent <> '' or w.process_id <> %(none)s) then %(last)s::uuid
       else w.process_id end)
     order by d.agent, d.process_id limit 1)
    union all
    (select d.agent, d.process_id, 1 from due_steps d
     where w.lap = 0 and d.owner is null order by d.agent, d.process_id limit 1)
    order by lap limit 1) as next
  where w.turn < %(groups)s
    and (next.lap = 0 or (next.agent, next.process_id) <= (%(agent)s::text, %(process)s::uuid))),
served as (
  select w.agent, w.process_id, w.turn, r.room,
    row_number() over (order by w.turn) as place, count(*) over () as places,
    row_number() over (partition by w.agent order by w.turn) as place_of_agent,
    count(*) over (partition by w.agent) as places_of_agent
  from walked w left join unnest(%(agents)s, %(rooms)s) as r(agent, room)
    on r.agent = w.agent and (w.agent <> '' or w.process_id <> %(none)s)
  where w.turn > 0 and coalesce(r.room, 1) > 0),
shares as (
  select s.agent, s.process_id, s.turn, least(
    %(limit)s / s.places + (s.place <= %(limit)s %% s.places)::int,
    s.room / s.places_of_agent + (s.place_of_agent <= s.room %% s.places_of_agent)::int) as quota
  from served s),
free as (
  select f.execution_id, f.step from shares s cross join lateral (
    select d.execution_id, d.step from due_steps d
    where d.owner is null
      and (d.agent, d.process_id, d.due_at) > (s.agent, s.process_id, timestamptz '-infinity')
      and (d.agent, d.process_id, d.due_at) <= (s.agent, s.process_id, now())
    order by d.agent, d.process_id, d.due_at limit s.quota for update skip locked) as f
  where s.quota > 0),
claimed as (
  update due_steps d set owner = %(owner)s, limited = d.agent = any(%(limited)s)
    where d.execution_id = any(array(select execution_id from free))
    and ((d.execution_id, d.step) in (select execution_id, step from free)) is true
  returning d.agent, d.process_id, d.execution_id, d.step, d.attempt, d.answered)
select w.turn, w.agent, w.process_id, coalesce(s.quota, 0), c.execution_id, c.step, c.attempt, c.answered
from walked w left join shares s on s.turn = w.turn
  left join claimed c on c.agent = w.agent and c.process_id = w.process_id and w.turn > 0
where w.turn > 0 order by w.turn"""


class StepTurn(msgspec.Struct):
    """The turn of one group in a claim: the most that it might claim, and the attempts claimed.

    answered: those of them whose agent has answered; the answer is kept with the attempt.
    """

    group: StepGroup
    quota: int
    claimed: list[tuple[UUID, str, int]]
    answered: list[tuple[UUID, str, int]] = []


def claim(
    connection: Connection[Any],
    owner: UUID,
    limit: int,
    rooms: Mapping[str, int],
    after: StepGroup,
    limited: Collection[str] = (),
) -> list[StepTurn]:
    """Give `owner` up to `limit` due attempts that no worker has; return the turns of groups after the group `after`.

    rooms: the most attempts of each agent; of other agents up to `limit`. limited: the agents of which `rooms` states
    what their limits allow; their attempts are marked. At most MAX_GROUPS groups have a turn. The
    cost grows with these and with `limit`, not with the number of attempts that wait.
    """
    agent, process = after
    parameters = {
        "owner": owner,
        "limit": limit,
        "agent": agent,
        "process": process,
        "groups": MAX_GROUPS,
        "full": arrays.texts([name for name, room in rooms.items() if room <= 0]),
        "agents": arrays.texts(list(rooms)),
        "rooms": arrays.ints([max(0, room) for room in rooms.values()]),
        "none": NO_PROCESS,
        "last": LAST_PROCESS,
        "limited": arrays.texts(list(limited)),
    }
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(CLAIM, parameters, prepare=True).fetchall()
    turns: dict[int, StepTurn] = {}
    for number, name, process_id, quota, execution, step, attempt, answered in rows:
        turn = turns.get(number)
        if turn is None:
            turn = turns[number] = StepTurn((name, process_id), quota, [])
        if execution is not None:
            turn.claimed.append((execution, step, attempt))
            if answered == attempt:
                turn.answered.append((execution, step, attempt))
    return list(turns.values())
