"""The inboxes of agents who are informed: entries, the roles that they rest on, and the filters of agents.

A row an event that concerns anybody, and not one an agent: an agent's inbox is the entries of its roles in their time.
"""

from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.inbox.concerns import TYPES, WITHDRAWS
from domain.inbox.filters import InboxFilter
from projections.facts import Fact
from projections.inbox.entries import ENTRIES, EntryChanges, collect, withdraw, write_entries
from projections.inbox.role_intervals import INTERVALS, RoleFacts, write_intervals
from projections.projection import Handler, Projection
from projections.table import Table, fixed, key

NAME = "InformedAgentNotifier"


class FilterRow(msgspec.Struct, gc=False):
    """A filter that holds for entries after `from_position`, until the next one of the agent."""

    agent: Annotated[str, key("text")]
    from_position: Annotated[int, key("bigint")]
    filter: Annotated[InboxFilter, fixed("json not null")]


FILTERS = Table("inbox_filters", FilterRow)


class InboxChanges(msgspec.Struct):
    """The changes of a page: its roles, its filters, and the events that may make entries."""

    roles: RoleFacts = []
    filters: list[FilterRow] = []
    entries: EntryChanges = msgspec.field(default_factory=EntryChanges)


def _role(changes: InboxChanges, fact: Fact) -> None:
    changes.roles.append(fact)


def _collects(changes: InboxChanges, fact: Fact) -> None:
    collect(changes.entries, fact)


def _withdraws(changes: InboxChanges, fact: Fact) -> None:
    withdraw(changes.entries, fact)
    if fact.topic in TYPES:
        collect(changes.entries, fact)


def _filter(changes: InboxChanges, fact: Fact) -> None:
    changes.filters.append(FilterRow(fact.event.agent, fact.position, fact.event.filter))


class InformedAgentNotifier(Projection[InboxChanges]):
    """inbox_entries, inbox_roles and inbox_filters. Building them anew notifies nobody: delivery is kept elsewhere."""

    name = NAME
    tables = ("inbox_entries", "inbox_roles", "inbox_filters")
    ddl = ENTRIES.ddl + INTERVALS.ddl + FILTERS.ddl
    indexes = (
        "create index inbox_entries_step_idx on inbox_entries (process_id, step, type, position)",
        "create index inbox_roles_agent_idx on inbox_roles (agent, process_id, step)",
    )
    handlers: dict[str, Handler[InboxChanges]] = {
        **dict.fromkeys(("ProcessPublished", "RoleAssigned", "RoleRevoked"), _role),
        **dict.fromkeys(TYPES, _collects),
        **dict.fromkeys(WITHDRAWS, _withdraws),
        "InboxFilterSet": _filter,
    }

    def changes(self) -> InboxChanges:
        return InboxChanges()

    def write(self, connection: Connection[Any], changes: InboxChanges) -> None:
        # Roles first: whom an entry concerns, their positions say.
        write_intervals(connection, changes.roles)
        write_entries(connection, changes.entries)
        FILTERS.write(connection, changes.filters)
