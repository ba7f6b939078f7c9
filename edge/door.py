"""What a door works with; made by the wiring of the application."""

from dataclasses import dataclass, field

from commands.handlers import Handlers
from domain.clock import Clock
from queries.executions import Definitions
from queries.reading import Reading


@dataclass(frozen=True)
class Door:
    """handlers: of commands. reading: where queries run. callback_key: signs the tokens of agents that answer later.

    api_key: what callers must show; None: callers need show nothing. stream_check_seconds: how often streams read the
    position without a notification, in case one is lost.
    """

    handlers: Handlers
    reading: Reading
    definitions: Definitions
    clock: Clock
    callback_key: bytes = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    stream_check_seconds: float = 1.0
