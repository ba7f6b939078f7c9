"""The roles that agents have in a process: the fold of their events."""

from collections.abc import Iterable

from domain.event import Event
from domain.roles.events import RoleAssigned, RoleRevoked


def fold(events: Iterable[Event]) -> dict[tuple[str, str], str]:
    """Return the role of each agent that has one, by step and agent, after `events`, in order."""
    roles: dict[tuple[str, str], str] = {}
    for event in events:
        if isinstance(event, RoleAssigned):
            roles[event.step, event.agent] = event.role
        elif isinstance(event, RoleRevoked):
            roles.pop((event.step, event.agent), None)
    return roles
