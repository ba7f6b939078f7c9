"""The agents that new entries may concern, for a worker that follows all inboxes."""

from typing import Any

import msgspec
from psycopg import Connection

from domain.inbox.concerns import RETRIABLE
from queries.inbox.views import INBOX
from queries.reading import Reading, fetch

ENTRIES = 1_000
AGENTS = 1_000

# One look-up in the index for each agent, however many roles it has.
_ALL = f"""with recursive a(agent) as (
  (select agent from inbox_roles where agent > %s order by agent limit 1)
  union all select (select r.agent from inbox_roles r where r.agent > a.agent order by r.agent limit 1) from a
    where a.agent is not null)
select agent from a where agent is not null limit {AGENTS}"""
_NEW = f"""select position, process_id, step, type from inbox_entries where position > %s and position <= %s
order by position limit {ENTRIES}"""
# An entry of no step concerns the roles in any step of the process.
_OF_STEPS = """select distinct r.agent from unnest(%s::uuid[], %s::text[]) as x(process_id, step)
cross join lateral (
  select agent from inbox_roles where process_id = x.process_id and step = x.step
  union all select agent from inbox_roles where x.step = '' and process_id = x.process_id) r"""


_AT = """select originator_id::text || ':' || originator_version as event_id from stored_events
where notification_id = %s"""


class Concerned(msgspec.Struct, frozen=True):
    """Agents whose inboxes may have entries up to `until`; beyond it there may be more."""

    agents: list[str]
    until: int
    as_of_position: int


def list_concerned(reading: Reading, after: int) -> Concerned:
    """Return the agents that the first thousand entries after a position may concern. Raises an Outage."""
    with reading.of(INBOX) as (connection, freshness):
        as_of = freshness.as_of_position
        rows = fetch(connection, _NEW, (after, as_of)) if after < as_of else []
        until = rows[-1]["position"] if len(rows) == ENTRIES else as_of
        if rows and rows[-1]["position"] == until and rows[-1]["type"] in RETRIABLE:
            until -= 1  # the event that follows says whether this one is final
        steps = [*{(row["process_id"], row["step"]) for row in rows}]
        given = [id for id, _ in steps], [step for _, step in steps]
        agents = _agents(connection, _OF_STEPS, given) if rows else []
    return Concerned(agents, max(after, until), as_of)


def list_inboxes(reading: Reading, after: str) -> list[str]:
    """Return the next thousand agents, by name, that have or had a role. Raises an Outage."""
    with reading.of(INBOX) as (connection, _):
        return _agents(connection, _ALL, (after,))


def is_held(reading: Reading, event_id: str, position: int) -> bool:
    """Return whether the log has the event of an entry at its position; without an id, any. Raises an Outage."""
    with reading.log() as (connection, freshness):
        if not event_id:
            return position <= freshness.as_of_position
        row = fetch(connection, _AT, (position,))
    return bool(row) and row[0]["event_id"] == event_id


def _agents(connection: Connection[Any], query: str, given: tuple[object, ...]) -> list[str]:
    return sorted(row["agent"] for row in fetch(connection, query, given))
