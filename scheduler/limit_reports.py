"""The tokens that the open calls of one worker have reserved, and what their answers say about limits."""

from collections.abc import Collection, Iterable
from datetime import timedelta

from domain.agents.calls import Accepted, AgentCall, Answer, Failed
from domain.agents.limits import TokensSpent, pause_of
from scheduler.lists import Attempt
from store.lists.agent_limits import Reserved

PAUSING = frozenset(("agent_rate_limited", "agent_unavailable"))
"""The codes of errors (429 and 503) with which an agent requests a pause, if it says for how long."""
MOST_UNKNOWN = 1_000


class LimitReports:
    """Collects what answers say, until the duty of limits writes it.

    spent: what calls have used, by agent. pauses: for how long agents take no calls.
    """

    def __init__(self) -> None:
        self.spent: dict[str, list[TokensSpent]] = {}
        self.pauses: dict[str, timedelta] = {}
        self._reserved: dict[Attempt, Reserved] = {}

    @property
    def pending(self) -> bool:
        """Whether there is something to write."""
        return bool(self.spent or self.pauses)

    def reserve(self, attempts: Iterable[Attempt], reserved: Reserved, open: Collection[Attempt]) -> None:
        """Note what each of these attempts has reserved. open: the calls that the worker has."""
        if len(self._reserved) > MOST_UNKNOWN + 2 * len(open):
            self._reserved = {attempt: each for attempt, each in self._reserved.items() if attempt in open}
        self._reserved.update(dict.fromkeys(attempts, reserved))

    def answered(self, answers: Iterable[tuple[AgentCall, Answer]]) -> None:
        """Note what calls used, and the pauses that their agents request. A call of unknown use stays as reserved."""
        for call, answer in answers:
            if isinstance(answer, Failed):
                self._note_pause(call.agent, answer)
            if self._reserved:
                reserved = self._reserved.pop((call.execution_id, call.step, call.attempt), None)
                usage = None if isinstance(answer, Accepted) else answer.usage
                if reserved is not None and usage is not None:
                    used = usage.input_tokens + usage.output_tokens
                    self.spent.setdefault(call.agent, []).append(TokensSpent(reserved.slot, reserved.tokens, used))

    def _note_pause(self, agent: str, failed: Failed) -> None:
        requested = failed.error.retry_after
        if agent and requested and failed.error.code in PAUSING:
            self.pauses[agent] = max(self.pauses.get(agent, timedelta()), pause_of(requested))
