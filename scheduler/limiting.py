"""The duty of limits: it corrects what calls reserved, and pauses agents that request it, for all workers."""

from scheduler.capacity import NO_LIMITS
from scheduler.duty import Duty


class Limiting(Duty):
    """Writes what answers say about the limits of their agents, and reads which agents admit no call now.

    A claim of an agent that has no limits any more then puts its row right.
    """

    word = "paused"
    overlaps = True
    drains = True

    @property
    def ready(self) -> bool:
        """Whether answers said something, or agents may have been paused."""
        return self._awake or self.desk.reports.pending

    def work(self) -> None:
        """Write pauses and corrections; read which agents admit no call."""
        awake, self._awake = self._awake, False
        try:
            self._write()
            if awake:
                self.desk.capacity.closed_agents = self.desk.lists.closed_agents()
        except BaseException:
            self._awake = True
            raise

    def release(self) -> None:
        """Write what is left."""
        self._write()

    def _write(self) -> None:
        desk, reports = self.desk, self.desk.reports
        if reports.pauses:
            desk.lists.pause_agents(reports.pauses)
            desk.capacity.closed_agents |= reports.pauses.keys()
            reports.pauses = {}
        collected = reports.collected()
        if collected:
            limits = {agent: desk.capacity.limited.get(agent, NO_LIMITS) for agent in collected}
            desk.lists.correct_limits(collected, limits)
            reports.written()
            # Tokens that calls did not need may admit the next ones.
            desk.capacity.ended = desk.capacity.ended or not desk.capacity.waiting.isdisjoint(limits)
