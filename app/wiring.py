"""The objects that the doors need, made once from the settings and the database."""

from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from app.database import Database
from app.installation import callback_key
from app.settings import Settings
from commands.agents import Agents
from commands.approvals import Approvals
from commands.executions import Executions
from commands.plans import Plans
from commands.processes import Processes
from commands.repairs import Repairs
from commands.timers import Timers
from commands.webhooks import Webhooks
from domain.event import Cause
from domain.processes.plan import Limits
from projections import ALL
from queries.executions import Definitions
from queries.progress import Progress
from queries.reading import Reading
from store.log import Log
from store.rehearsing import Rehearsal


class Wiring:
    """The log, the handlers of commands, and where queries run, on connections of their own; open until closed.

    rehearsal: where commands are not to be recorded, what notes them in place of the log.
    """

    def __init__(self, settings: Settings, database: Database, *, rehearsal: bool = False) -> None:
        self.settings = settings
        self.database = database
        self.datastore = database.datastore()
        self._replica = database.read_datastore()
        self.rehearsal = Rehearsal(self.datastore) if rehearsal else None
        self.log = self.rehearsal or Log(self.datastore)
        self.plans = Plans(self.log, Limits(settings.max_depth, settings.max_descendants))
        self.agents = Agents(self.log)
        self.processes = Processes(self.log, self.agents, settings.channels.configured)
        self.executions = Executions(self.log, self.plans)
        self.repairs = Repairs(self.executions, self.agents)
        self.timers = Timers(self.executions, self.datastore)
        self.webhooks = Webhooks(self.log, self.plans)
        self.approvals = Approvals(self.executions)
        self.progress = Progress(self.datastore, self._replica, {each.name: each.digest for each in ALL})
        self.reading = Reading(self._replica or self.datastore, self.progress)
        self.definitions = Definitions()

    def callback_key(self) -> bytes:
        """The key that signs the tokens of agents that answer later."""
        return callback_key(self.datastore)

    def close(self) -> None:
        """Close the connections."""
        self.log.close()
        self.datastore.close()
        if self._replica is not None:
            self._replica.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def operator(causation: str) -> Cause:
    """The cause of what somebody does at the command line, now."""
    return Cause(datetime.now(UTC), "user:cli", causation=causation)
