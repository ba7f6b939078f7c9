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


def withholds(type: str | None, principal: Principal) -> bool:
    """Return whether an event of that type has fields that the principal does not see."""
    return type in WITHHELD and not principal.may(WITHHELD[type][0])


def withheld(event: EventView, principal: Principal) -> EventView:
    """Return the event with null in each field that the principal does not see."""
    if not withholds(event.type, principal):
        return event
    _, fields = WITHHELD[event.type]
    data = {name: None if fields is EVERY_FIELD or name in fields else value for name, value in event.data.items()}
    return msgspec.structs.replace(event, data=data)
