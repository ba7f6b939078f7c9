"""Fields of events that only some principals see, whatever they hold: the configuration of agents, and keys."""

import msgspec

from edge.principal import Principal
from edge.scopes import READ_CONFIGURATION, READ_KEYS
from queries.events import EventView

EVERY_FIELD = None
# By the type of an event: the permission that its reader needs, and the fields that others do not see.
WITHHELD: dict[str, tuple[str, frozenset[str] | None]] = {
    "AgentRegistered": (READ_CONFIGURATION, frozenset(("config",))),
    "KeyCreated": (READ_KEYS, EVERY_FIELD),
    "KeyRevoked": (READ_KEYS, EVERY_FIELD),
}


def withheld(event: EventView, principal: Principal) -> EventView:
    """Return the event with null in each field that the principal does not see."""
    permission, fields = WITHHELD.get(event.type, ("", frozenset()))
    if not permission or principal.may(permission):
        return event
    data = {name: None if fields is EVERY_FIELD or name in fields else value for name, value in event.data.items()}
    return msgspec.structs.replace(event, data=data)
