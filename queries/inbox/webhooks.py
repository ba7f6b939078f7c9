"""The webhooks of an agent's inbox, and their dead deliveries."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.identity import agent_id
from domain.refusal import AgentNotFound, NotFound
from queries.reading import Reading, fetch

MOST_LETTERS = 500
_WEBHOOKS = """select webhook_id, url, secret, added_by, added_at, position, verified_at, suspended_at, failing_since,
  delivered_at, tries, last_error,
  (select count(*) from (select from inbox_dead_deliveries d where d.webhook_id = w.webhook_id limit 1000) c) as dead
from inbox_webhooks w where agent = %s order by added_at, webhook_id"""
_LETTERS = """select event_id, position, tries, error, died_at, retry from inbox_dead_deliveries
where webhook_id = %s order by position limit %s"""
_OWNED = "select 1 from inbox_webhooks where agent = %s and webhook_id = %s"


class InboxWebhookView(msgspec.Struct, frozen=True):
    """A webhook. secret: the reference to it. position: of the last entry that it received or that was set aside.

    state: ``unverified``, ``active``, ``failing`` or ``suspended``. dead: deliveries that failed for good.
    """

    webhook_id: UUID
    url: str
    secret: str
    state: str
    added_by: str
    added_at: datetime
    position: int
    verified_at: datetime | None
    failing_since: datetime | None
    delivered_at: datetime | None
    tries: int
    last_error: str | None
    dead: int


class InboxWebhooks(msgspec.Struct, frozen=True):
    """The webhooks of one agent, those added first first."""

    items: list[InboxWebhookView]


class DeadDelivery(msgspec.Struct, frozen=True):
    """A delivery that failed for good. retry: an operator has requested another try, which is to come."""

    event_id: str
    position: int
    tries: int
    error: str
    died_at: datetime
    retry: bool


class DeadDeliveries(msgspec.Struct, frozen=True):
    """The dead deliveries of one webhook, in the order of the log: the first 500."""

    items: list[DeadDelivery]


def list_inbox_webhooks(reading: Reading, agent: str) -> InboxWebhooks:
    """Return the webhooks of an agent. Raises AgentNotFound."""
    with reading.log() as (connection, _):
        if not fetch(connection, "select 1 from stored_events where originator_id = %s limit 1", (agent_id(agent),)):
            raise AgentNotFound(f"there is no agent {agent!r}", agent=agent)
        return InboxWebhooks([_view(row) for row in fetch(connection, _WEBHOOKS, (agent,))])


def list_dead_deliveries(reading: Reading, agent: str, webhook_id: UUID) -> DeadDeliveries:
    """Return the dead deliveries of a webhook. Raises NotFound."""
    with reading.log() as (connection, _):
        if not fetch(connection, _OWNED, (agent, webhook_id)):
            raise NotFound("the agent has no such webhook", code="webhook_not_found")
        return DeadDeliveries([DeadDelivery(**row) for row in fetch(connection, _LETTERS, (webhook_id, MOST_LETTERS))])


def _view(row: dict[str, Any]) -> InboxWebhookView:
    suspended = row.pop("suspended_at")
    if suspended is not None:
        state = "suspended"
    elif row["failing_since"] is not None:
        state = "failing"
    else:
        state = "unverified" if row["verified_at"] is None else "active"
    return InboxWebhookView(state=state, **row)
