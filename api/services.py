"""What the API works with; made by whoever composes the application."""

from dataclasses import dataclass, field

from commands.agents import Agents
from commands.approvals import Approvals
from commands.executions import Executions
from commands.processes import Processes
from commands.repairs import Repairs
from commands.timers import Timers
from commands.webhooks import Webhooks
from queries.reading import Reading
from store.log import Log


@dataclass(frozen=True)
class Services:
    """log and the handlers of commands; where queries run; keys and settings.

    callback_key: signs the tokens of agents that answer later. api_key: what callers must show, None when nobody must.
    stream_check_seconds: how often streams look for themselves, should a notification be lost.
    """

    log: Log
    processes: Processes
    executions: Executions
    repairs: Repairs
    timers: Timers
    webhooks: Webhooks
    approvals: Approvals
    agents: Agents
    reading: Reading
    callback_key: bytes = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    stream_check_seconds: float = 1.0
