"""The roles of agents on published versions over time: a row from the position where one begins to where it ends."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.roles.decisions import PUBLISHED
from projections.facts import Fact
from projections.projection import Handler, Projection
from projections.table import Table, always, fixed, key, latest
from store import arrays


class PublishedRoleRow(msgspec.Struct, gc=False, kw_only=True):
    """A role of an agent in a step. of: ``published``.

    from_position: of the event that gives the role; until_position: of the one that takes it, None while it lasts.
    version: of the stream of roles, at the last of both.
    """

    process_id: Annotated[UUID, key("uuid")]
    step: Annotated[str, key("text")]
    agent: Annotated[str, key("text")]
    from_position: Annotated[int, key("bigint")]
    role: Annotated[str, fixed("text not null")]
    of: Annotated[str, fixed("text not null")]
    from_at: Annotated[datetime, fixed("timestamptz not null")]
    until_position: Annotated[int | None, latest("bigint")] = None
    until_at: Annotated[datetime | None, latest("timestamptz")] = None
    version: Annotated[int, always("int")]


Holder = tuple[UUID, str, str]

ROLES = Table("role_intervals", PublishedRoleRow, "fillfactor = 70")
# The first key once more: by it the server finds the rows even where it takes the table for empty.
_CLOSE = """update role_intervals t set until_position = x.at, until_at = x.instant, version = x.version
from unnest(%b, %b, %b, %b, %b, %b) as x(process_id, step, agent, at, instant, version)
where t.process_id = any(%b) and t.process_id = x.process_id and t.step = x.step and t.agent = x.agent
  and t.until_position is null"""


class IntervalChanges:
    """The changes of a page. closed: the first event that ends each role of before. rows: new ones; open: that last."""

    def __init__(self) -> None:
        self.closed: dict[Holder, Fact] = {}
        self.rows: list[PublishedRoleRow] = []
        self.open: dict[Holder, PublishedRoleRow] = {}

    def close(self, holder: Holder, fact: Fact) -> None:
        """End the role that an agent has."""
        row = self.open.pop(holder, None)
        if row is None:
            self.closed.setdefault(holder, fact)
            return
        row.until_position, row.until_at, row.version = fact.position, fact.event.at, fact.version


def _assigned(changes: IntervalChanges, fact: Fact) -> None:
    event = fact.event
    if event.of != PUBLISHED:
        return
    holder = (event.process_id, event.step, event.agent)
    changes.close(holder, fact)
    row = changes.open[holder] = PublishedRoleRow(
        process_id=event.process_id,
        step=event.step,
        agent=event.agent,
        from_position=fact.position,
        role=event.role,
        of=event.of,
        from_at=event.at,
        version=fact.version,
    )
    changes.rows.append(row)


def _revoked(changes: IntervalChanges, fact: Fact) -> None:
    event = fact.event
    if event.of == PUBLISHED:
        changes.close((event.process_id, event.step, event.agent), fact)


class RolesProjection(Projection[IntervalChanges]):
    """role_intervals, of published versions alone: the roles of drafts have no effect."""

    name = "roles"
    tables = ("role_intervals",)
    ddl = ROLES.ddl
    indexes = ("create index role_intervals_now on role_intervals (agent, process_id) where until_position is null",)
    handlers: dict[str, Handler[IntervalChanges]] = {"RoleAssigned": _assigned, "RoleRevoked": _revoked}

    def changes(self) -> IntervalChanges:
        return IntervalChanges()

    def write(self, connection: Connection[Any], changes: IntervalChanges) -> None:
        if changes.closed:
            processes, steps, agents = zip(*changes.closed, strict=True)
            facts = list(changes.closed.values())
            given = arrays.uuids(processes)
            laid_out = (
                given,
                arrays.texts(steps),
                arrays.texts(agents),
                arrays.bigints([fact.position for fact in facts]),
                arrays.timestamptzs([fact.event.at for fact in facts]),
                arrays.ints([fact.version for fact in facts]),
                given,
            )
            connection.execute(_CLOSE, laid_out, prepare=True)
        ROLES.write(connection, changes.rows)
