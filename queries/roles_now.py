"""The monitors and informed agents of the steps of a published version, now or at a position of the log."""

from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from queries.exchange import Question
from queries.reading import Freshness, Reading, fetch
from queries.roles import INTERVALS

MOST = 200
_ROLES = f"""select step, agent, role, from_at, until_at from role_intervals
where process_id = %(process_id)s and role <> 'executor' and (until_at is null or until_at > %(since)s)
order by agent, step, from_position limit {MOST}"""
_OF_STEP = f"""select agent, role from role_intervals
where process_id = %(process_id)s and step = %(step)s and role <> 'executor' and from_position <= %(position)s
  and (until_position is null or until_position > %(position)s)
order by role desc, agent limit {MOST}"""


class RoleNow(msgspec.Struct, frozen=True):
    """A role of an agent in a step. changed: when it was given or taken after the publication; None: as published.

    taken: it is none any more.
    """

    step: str
    agent: str
    role: str
    changed: datetime | None
    taken: bool


def roles_now(reading: Reading, process_id: UUID, published_at: datetime) -> dict[str, list[RoleNow]]:
    """Return by agent the first roles beside those of executors, as they are and as they were at the publication.

    Raises ReadModelRebuilding.
    """
    with reading.of(INTERVALS) as (connection, _):
        rows = fetch(connection, _ROLES, {"process_id": process_id, "since": published_at})
    found: dict[str, list[RoleNow]] = {}
    for row in rows:
        given_later = row["from_at"] > published_at
        if given_later and row["until_at"] is not None:
            continue  # neither in the text nor in effect
        changed = row["until_at"] or (row["from_at"] if given_later else None)
        role = RoleNow(row["step"], row["agent"], row["role"], changed, row["until_at"] is not None)
        found.setdefault(row["agent"], []).append(role)
    return found


def roles_of_step(process_id: UUID, step: str, position: int) -> Question[dict[str, list[str]]]:
    """Return the question for the agents by their role in a step at a position of the log, beside its executor."""

    def view(rows: list[DictRow], _: Freshness) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(row["role"], []).append(row["agent"])
        return found

    given = {"process_id": process_id, "step": step, "position": position}
    return Question(INTERVALS, _OF_STEP, given, view)
