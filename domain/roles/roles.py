"""The roles that agents have in a process: the fold of their events."""

from collections.abc import Iterable, Sequence

from domain.event import Event
from domain.roles.decisions import PUBLISHED
from domain.roles.events import RoleAssigned, RoleRevoked


def fold(events: Iterable[Event], of: str | None = None) -> dict[tuple[str, str], str]:
    """Return the role of each agent that has one, by step and agent, after `events`, in order.

    of: of the draft, or of the published version, alone.
    """
    roles: dict[tuple[str, str], str] = {}
    for event in events:
        if isinstance(event, RoleAssigned | RoleRevoked) and of in (None, event.of):
            if isinstance(event, RoleAssigned):
                roles[event.step, event.agent] = event.role
            else:
                roles.pop((event.step, event.agent), None)
    return roles


def published_revision(events: Sequence[Event]) -> int:
    """Return the version of the stream at which a role of the published version last changed; 0 if none ever did."""
    changed = (at for at in range(len(events), 0, -1) if getattr(events[at - 1], "of", None) == PUBLISHED)
    return next(changed, 0)
