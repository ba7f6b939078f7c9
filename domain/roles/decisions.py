"""Decisions about roles: from the roles before and after a change to its events. Pure."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from domain.event import Cause, Event, record
from domain.roles.events import RoleAssigned, RoleRevoked

AgentRoles = Mapping[tuple[str, str], str]
"""The role of each agent that has one, by step and agent."""

DRAFT, PUBLISHED = "draft", "published"


class RolesOf(msgspec.Struct, frozen=True):
    """The text of which roles change. of: ``draft`` or ``published``; version: the published version, 0 for a draft."""

    process_id: UUID
    process: str
    of: str = DRAFT
    version: int = 0


def change_roles(of: RolesOf, before: AgentRoles, after: AgentRoles, reason: str, cause: Cause) -> list[Event]:
    """Return one event for each difference, in the order of steps and agents.

    A role that becomes another one is assigned: an agent has one role in a step.
    """
    facts = {"process_id": of.process_id, "process": of.process, "of": of.of, "version": of.version, "reason": reason}
    events: list[Event] = []
    for step, agent in sorted(before.keys() | after.keys()):
        had, has = before.get((step, agent)), after.get((step, agent))
        if has is not None and has != had:
            events.append(record(RoleAssigned, cause, step=step, agent=agent, role=has, **facts))
        elif has is None and had is not None:
            events.append(record(RoleRevoked, cause, step=step, agent=agent, role=had, **facts))
    return events
