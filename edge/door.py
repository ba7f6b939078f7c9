"""A door, API or web: the parts that it works with, which the wiring of the application makes."""

from dataclasses import dataclass, field
from functools import cached_property

from commands.handlers import Handlers
from commands.keys import KnownKeys
from commands.trials import Trials
from domain.clock import Clock
from edge.hosts import LOCAL, Hosts
from edge.sessions import SessionSigner
from queries.executions import Definitions
from queries.reading import Reading
from queries.sensitive import SensitiveValues
from queries.settings import SettingView


@dataclass(frozen=True)
class Door:
    """handlers: of commands. reading: runs queries. callback_key: signs the tokens of agents that answer later.

    keys: those that the log holds. sessions: signs the cookies of browsers. trials: of agents.
    api_key: a further key, of an admin; None: there is none. hosts: those that requests may state.
    stream_check_seconds: how often streams read the position without a notification, in case one is lost.
    max_streams: the most streams that are open at once. longest_poll_seconds: no empty inbox waits longer.
    max_batch: the most executions that are acted on at once. settings: those in force in this process.
    """

    handlers: Handlers
    reading: Reading
    definitions: Definitions
    clock: Clock
    callback_key: bytes = field(repr=False)
    keys: KnownKeys = field(repr=False)
    sessions: SessionSigner = field(repr=False)
    trials: Trials = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    hosts: Hosts = LOCAL
    stream_check_seconds: float = 1.0
    max_streams: int = 500
    longest_poll_seconds: float = 60.0
    max_batch: int = 10_000
    settings: tuple[SettingView, ...] = ()

    def present_epoch(self) -> str | None:
        """Return the epoch of the log, for positions that are read after this."""
        return self.reading.epoch

    @cached_property
    def sensitive(self) -> SensitiveValues:
        """The sensitive values of executions."""
        return SensitiveValues(self.reading)
