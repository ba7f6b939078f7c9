"""The state of an inbox: what waits in it, what was delivered and acknowledged, and the filter that holds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.inbox.filters import InboxFilter
from domain.keys.scopes import matches
from queries.inbox.interests import acknowledged_position, interests_of
from queries.inbox.page import select_entries
from queries.inbox.scanning import bounded
from queries.inbox.views import INBOX, InboxPlace
from queries.reading import Reading, fetch

COUNTED = 1_000
_DELIVERED = "select position, delivered_at from inbox_deliveries where agent = %s"
_FILTER = "select from_position, filter from inbox_filters where agent = %s order by from_position desc limit 1"
_ROLES = """select process, step, role, from_position from inbox_roles
where agent = %s and step <> '' and until_position is null order by process, step limit %s"""


class InboxRole(msgspec.Struct, frozen=True):
    """A step of which the agent is informed, or that it monitors. from_position: entries are of later events."""

    process: str
    step: str
    role: str
    from_position: int


class InboxState(msgspec.Struct, frozen=True):
    """The state of an agent's inbox. pending: entries not acknowledged, counted up to 1000; pending_more: beyond.

    undelivered: those of them that no answer held yet. delivered, acknowledged: positions up to which entries were.
    cursor: of what is acknowledged. oldest_unread: when the first pending entry happened. filter: it holds for entries
    after effective_from. lag_seconds: how old the read model is.
    """

    agent: str
    pending: int
    pending_more: bool
    undelivered: int
    delivered: int
    delivered_at: datetime | None
    acknowledged: int
    cursor: str
    oldest_unread: datetime | None
    filter: InboxFilter
    effective_from: int
    roles: list[InboxRole]
    as_of_position: int
    lag_seconds: float


class InboxFilterView(msgspec.Struct, frozen=True):
    """The filter of an inbox. An empty field lets all pass. effective_from: it holds for entries of later events."""

    processes: list[str]
    steps: list[str]
    types: list[str]
    outcomes: list[str]
    labels: list[str]
    effective_from: int
    as_of_position: int
    lag_seconds: float


def get_inbox_state(
    reading: Reading, agent: str, *, within: Sequence[str] = (), min_position: int | None = None
) -> InboxState:
    """Return the state of an agent's inbox. Raises AgentNotFound or NotYet."""
    with reading.of(INBOX, min_position) as (connection, freshness):
        acknowledged = acknowledged_position(connection, agent)
        interests = bounded(connection, interests_of(connection, agent, acknowledged, within=within))
        rows = select_entries(connection, interests.items, COUNTED + 1)
        delivered = _one(connection, _DELIVERED, agent) or {"position": 0, "delivered_at": None}
        filter, effective_from = _filter(connection, agent)
        roles = fetch(connection, _ROLES, (agent, COUNTED))
    return InboxState(
        agent=agent,
        pending=min(len(rows), COUNTED),
        pending_more=len(rows) > COUNTED or interests.until <= freshness.as_of_position,
        undelivered=sum(row["position"] > delivered["position"] for row in rows[:COUNTED]),
        delivered=delivered["position"],
        delivered_at=delivered["delivered_at"],
        acknowledged=acknowledged,
        cursor=InboxPlace(acknowledged, epoch=freshness.epoch).cursor,
        oldest_unread=rows[0]["at"] if rows else None,
        filter=filter,
        effective_from=effective_from,
        roles=[InboxRole(**row) for row in roles if not within or matches(within, row["process"])],
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def get_inbox_filter(reading: Reading, agent: str, *, min_position: int | None = None) -> InboxFilterView:
    """Return the filter that an agent has set. Raises AgentNotFound or NotYet."""
    with reading.of(INBOX, min_position) as (connection, freshness):
        acknowledged_position(connection, agent)
        filter, effective_from = _filter(connection, agent)
    return InboxFilterView(
        **msgspec.structs.asdict(filter),
        effective_from=effective_from,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _filter(connection: Connection[DictRow], agent: str) -> tuple[InboxFilter, int]:
    row = _one(connection, _FILTER, agent)
    if row is None:
        return InboxFilter(), 0
    return msgspec.json.decode(row["filter"], type=InboxFilter), row["from_position"]


def _one(connection: Connection[DictRow], query: str, agent: str) -> dict[str, Any] | None:
    return next(iter(fetch(connection, query, (agent,))), None)
