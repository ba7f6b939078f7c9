"""The directory of agents, with the configuration of each: a row an agent."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.agents.agent import configured
from projections.facts import Fact
from projections.projection import Handler, Projection
from projections.table import Table, always, first, fixed, key, latest, replaced, since


class AgentRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is.

    kind: stated exactly when the agent is registered, which also takes its retirement back and replaces its limit.
    """

    agent_id: Annotated[bytes, key("uuid")]
    name: Annotated[str, fixed("text unique")]
    kind: Annotated[str | None, latest("text")] = None
    status: Annotated[str, replaced("text")]
    config: Annotated[msgspec.Raw | None, latest("json")] = None
    registered_at: Annotated[datetime | None, first("timestamptz")] = None
    updated_at: Annotated[datetime | None, latest("timestamptz")] = None
    retired_at: Annotated[datetime | None, since("timestamptz", "kind")] = None
    max_open: Annotated[int | None, since("bigint", "kind")] = None
    revision: Annotated[int, always("int")]
    last_position: Annotated[int, always("bigint")]


DIRECTORY = Table("agent_directory", AgentRow, "fillfactor = 70")
AgentChanges = dict[bytes, AgentRow]


def _config(event: Any) -> msgspec.Raw:
    rate, tokens = msgspec.json.decode(event.rate), msgspec.json.decode(event.tokens)
    if event.provider is None and rate is None and tokens is None:
        stated: msgspec.Raw = event.config
        return stated
    config = configured(msgspec.json.decode(event.config), provider=event.provider, rate=rate, tokens=tokens)
    return msgspec.Raw(msgspec.json.encode(config))


def _registered(changes: AgentChanges, fact: Fact) -> None:
    event, before = fact.event, changes.get(fact.stream)
    begun = event.at if before is None else before.registered_at or event.at
    changes[fact.stream] = AgentRow(
        agent_id=fact.stream,
        name=event.name,
        kind=event.kind,
        status="active",
        config=_config(event),
        registered_at=begun,
        updated_at=event.at,
        max_open=event.max_open,
        revision=fact.version,
        last_position=fact.position,
    )


def _retired(changes: AgentChanges, fact: Fact) -> None:
    event, row = fact.event, changes.get(fact.stream)
    if row is None:
        row = changes[fact.stream] = AgentRow(
            agent_id=fact.stream, name=event.name, status="retired", revision=0, last_position=0
        )
    row.last_position, row.revision, row.status, row.retired_at = fact.position, fact.version, "retired", event.at


class AgentDirectoryProjection(Projection[AgentChanges]):
    """agent_directory. registered_at: of the first registration; updated_at: of the last one."""

    name = "agent_directory"
    tables = ("agent_directory",)
    ddl = DIRECTORY.ddl
    handlers: dict[str, Handler[AgentChanges]] = {"AgentRegistered": _registered, "AgentRetired": _retired}

    def changes(self) -> AgentChanges:
        return {}

    def write(self, connection: Connection[Any], changes: AgentChanges) -> None:
        DIRECTORY.write(connection, changes.values())
