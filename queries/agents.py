"""Agents: the directory."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.identity import agent_id
from domain.refusal import AgentNotFound
from queries.agent_answers import AgentAnswers, summarise_answers
from queries.agent_limits import AgentLimitUse, read_limit_uses
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, Page, page_of, read_cursor, write_cursor
from queries.reading import Reading, fetch

DIRECTORY = "agent_directory"
KINDS_LISTED = ("scripted", "http", "openai_chat", "openai_responses", "anthropic")

_COLUMNS = "agent_id, name, kind, status, config, registered_at, retired_at, max_open"
_LIST = f"select {_COLUMNS} from agent_directory where {{where}} order by name limit %(rows)s"
_NAMES = "select name from agent_directory where status = 'active' order by name limit %s"
_ONE = f"select {_COLUMNS} from agent_directory where agent_id = %s"


class AgentView(msgspec.Struct, frozen=True):
    """An agent. status: ``active`` or ``retired``; config holds references to secrets, never secrets.

    max_open: how many calls of it all workers together have open at once; null: each worker a share of its calls.
    last_24_hours: its answers; null: not worked out. limit_use: what it uses of its limits; null: it has none and was
    never paused.
    """

    agent_id: UUID
    name: str
    kind: str
    status: str
    config: msgspec.Raw
    registered_at: datetime
    retired_at: datetime | None
    max_open: int | None
    last_24_hours: AgentAnswers | None = None
    limit_use: AgentLimitUse | None = None


class AgentDetail(AgentView, frozen=True, kw_only=True):
    """An agent, and how fresh this is."""

    as_of_position: int
    lag_seconds: float


class AgentFilter(msgspec.Struct, frozen=True):
    """A filter of agents: OR within a field, AND between fields."""

    names: list[str] = []
    kinds: list[str] = []
    statuses: list[str] = []


def list_agents(
    reading: Reading,
    filter: AgentFilter,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
    within: tuple[str, ...] = (),
    spent_from: datetime | None = None,
) -> Page[AgentView]:
    """Return agents by name, retired ones too unless the filter excludes them, each with its answers in 24 hours.

    within: the processes whose answers are visible. spent_from: as in summarise_answers. Raises BadCursor or NotYet.
    """
    where = Where({"rows": limit + 1})
    where.add("name > {}", read_cursor("a", cursor) if cursor is not None else None)
    where.any_of("name", filter.names, "text")
    where.any_of("kind", filter.kinds, "text")
    where.any_of("status", filter.statuses, "text")
    with reading.of(DIRECTORY, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
        uses = read_limit_uses(connection, [row["name"] for row in rows])
    answers = summarise_answers(reading, [row["name"] for row in rows], within=within, spent_from=spent_from)
    return page_of(
        [AgentView(**row, last_24_hours=_of(answers, row["name"]), limit_use=uses.get(row["name"])) for row in rows],
        limit,
        freshness,
        lambda row: write_cursor("a", row.name),
    )


def list_agent_names(reading: Reading, *, limit: int) -> list[str]:
    """Return the first names of active agents, in order."""
    with reading.of(DIRECTORY) as (connection, _):
        return [row["name"] for row in fetch(connection, _NAMES, (limit,))]


def get_agent(
    reading: Reading,
    name: str,
    *,
    within: tuple[str, ...] = (),
    spent_from: datetime | None = None,
    min_position: int | None = None,
) -> AgentDetail:
    """Return one agent. within, spent_from: as in list_agents. Raises NotFound or NotYet."""
    with reading.of(DIRECTORY, min_position) as (connection, freshness):
        rows = fetch(connection, _ONE, (agent_id(name),))
        uses = read_limit_uses(connection, [name])
    if not rows:
        raise AgentNotFound(f"there is no agent {name!r}", agent=name)
    answers = summarise_answers(reading, [name], within=within, spent_from=spent_from)
    return AgentDetail(
        **rows[0],
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
        last_24_hours=_of(answers, name),
        limit_use=uses.get(name),
    )


def _of(answers: dict[str, AgentAnswers] | None, agent: str) -> AgentAnswers | None:
    return None if answers is None else answers.get(agent, AgentAnswers(0, 0, None))
