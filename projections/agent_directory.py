"""Which agents are there, and how are they called: a row an agent."""

from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import Handler, Projection
from store import arrays


class Row(msgspec.Struct, gc=False):
    """What a page changes in a row; None leaves a column as it is.

    kind: given exactly when the agent was registered; retired_at is then meant even if None.
    """

    last_position: int
    revision: int
    name: str
    status: str
    kind: str | None = None
    config: bytes | None = None
    registered_at: datetime | None = None
    updated_at: datetime | None = None
    retired_at: datetime | None = None


Changes = dict[bytes, Row]


def _registered(changes: Changes, fact: Fact) -> None:
    event, before = fact.event, changes.get(fact.stream)
    first = event.at if before is None else before.registered_at or event.at
    changes[fact.stream] = Row(
        fact.position, fact.version, event.name, "active", event.kind, bytes(event.config), first, event.at
    )


def _retired(changes: Changes, fact: Fact) -> None:
    event, row = fact.event, changes.get(fact.stream)
    if row is None:
        changes[fact.stream] = Row(fact.position, fact.version, event.name, "retired", retired_at=event.at)
    else:
        row.last_position, row.revision, row.status, row.retired_at = fact.position, fact.version, "retired", event.at


UPSERT = f"""
insert into agent_directory as t (
  agent_id, name, kind, status, config, registered_at, updated_at, retired_at, revision, last_position)
select * from unnest({", ".join(["%b"] * 10)})
on conflict (agent_id) do update set
  kind = coalesce(excluded.kind, t.kind),
  status = excluded.status,
  config = coalesce(excluded.config, t.config),
  registered_at = coalesce(t.registered_at, excluded.registered_at),
  updated_at = coalesce(excluded.updated_at, t.updated_at),
  retired_at = case when excluded.kind is not null then excluded.retired_at
    else coalesce(excluded.retired_at, t.retired_at) end,
  revision = excluded.revision,
  last_position = excluded.last_position"""


class AgentDirectory(Projection[Changes]):
    """agent_directory. registered_at: when the agent was first registered; updated_at: when it last was."""

    name = "agent_directory"
    tables = ("agent_directory",)
    ddl = """
    create table agent_directory (
      agent_id uuid primary key,
      name text unique,
      kind text,
      status text,
      config json,
      registered_at timestamptz,
      updated_at timestamptz,
      retired_at timestamptz,
      revision int not null,
      last_position bigint not null
    ) with (fillfactor = 70);
    """
    handlers: dict[str, Handler[Changes]] = {"AgentRegistered": _registered, "AgentRetired": _retired}

    def changes(self) -> Changes:
        return {}

    def write(self, connection: Connection[Any], changes: Changes) -> None:
        if changes:
            connection.execute(UPSERT, _columns(changes), prepare=True)


def _columns(changed: Changes) -> tuple[arrays.Array, ...]:
    rows = changed.values()
    return (
        arrays.uuid_bytes(list(changed)),
        arrays.texts([row.name for row in rows]),
        arrays.texts([row.kind for row in rows]),
        arrays.texts([row.status for row in rows]),
        arrays.jsons([row.config for row in rows]),
        arrays.timestamptzs([row.registered_at for row in rows]),
        arrays.timestamptzs([row.updated_at for row in rows]),
        arrays.timestamptzs([row.retired_at for row in rows]),
        arrays.ints([row.revision for row in rows]),
        arrays.bigints([row.last_position for row in rows]),
    )
