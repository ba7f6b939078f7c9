"""A door, API or web: the parts that it works with, which the wiring of the application makes."""

from dataclasses import dataclass, field

from commands.handlers import Handlers
from domain.clock import Clock
from edge.hosts import LOCAL, Hosts
from queries.executions import Definitions
from queries.reading import Reading


@dataclass(frozen=True)
class Door:
    """handlers: of commands. reading: runs queries. callback_key: signs the tokens of agents that answer later.

    api_key: the key that callers must show; None: they need show none. hosts: those that requests may state.
    stream_check_seconds: how often streams read the position without a notification, in case one is lost.
    max_streams: the most streams that are open at once.
    """

    handlers: Handlers
    reading: Reading
    definitions: Definitions
    clock: Clock
    callback_key: bytes = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    hosts: Hosts = LOCAL
    stream_check_seconds: float = 1.0
    max_streams: int = 500
