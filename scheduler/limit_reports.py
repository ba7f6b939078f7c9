"""The counts of one worker in the limits of agents, and what its calls say about them."""

from collections import deque
from collections.abc import Collection, Iterable
from datetime import timedelta

from domain.agents.calls import Accepted, AgentCall, Answer, Failed
from domain.agents.limits import CallsClaimed, TokensSpent, pause_of
from scheduler.lists import Attempt
from store.lists.agent_limits import CallReports

PAUSING = frozenset(("agent_rate_limited", "agent_unavailable"))
"""The codes of errors (429 and 503) with which an agent requests a pause, if it says for how long."""
MOST_UNKNOWN = 1_000


class LimitReports:
    """Collects what calls and answers say, until the duty of limits writes it.

    pauses: for how long agents take no calls.
    """

    def __init__(self) -> None:
        self.pauses: dict[str, timedelta] = {}
        self._claimed: dict[Attempt, CallsClaimed] = {}
        self._reports: dict[str, CallReports] = {}
        self._sent: deque[AgentCall] = deque()

    @property
    def pending(self) -> bool:
        """Whether there is something to write."""
        return bool(self._sent or self._reports or self.pauses)

    def claim(self, attempts: Iterable[Attempt], counted: CallsClaimed, open: Collection[Attempt]) -> None:
        """Note what was counted for each of these attempts. open: the calls that the worker has."""
        if len(self._claimed) > MOST_UNKNOWN + 2 * len(open):
            self._claimed = {attempt: each for attempt, each in self._claimed.items() if attempt in open}
        self._claimed.update(dict.fromkeys(attempts, counted))

    def counts(self, attempt: Attempt) -> bool:
        """Return whether the call of the attempt counts in a limit."""
        return attempt in self._claimed

    def sent(self, call: AgentCall) -> None:
        """Note that a call goes out; callable from any thread."""
        self._sent.append(call)

    def answered(self, answers: Iterable[tuple[AgentCall, Answer]]) -> None:
        """Note what calls used, and the pauses that their agents request. A call of unknown use stays as reserved."""
        self._take_sent()
        for call, answer in answers:
            if isinstance(answer, Failed):
                self._note_pause(call.agent, answer)
            if not self._claimed:  # as with most agents, which have no limits
                continue
            claimed = self._claimed.pop(_attempt(call), None)
            usage = None if isinstance(answer, Accepted) else answer.usage
            if claimed is not None and claimed.tokens and usage is not None:
                used = usage.input_tokens + usage.output_tokens
                self._of(call.agent).spent.append(TokensSpent(claimed.tokens, claimed.reserved, used))

    def collected(self) -> dict[str, CallReports]:
        """Return what there is to write, by agent; it stays until `written`."""
        self._take_sent()
        return self._reports

    def written(self) -> None:
        """Forget what was collected."""
        self._reports = {}

    def _take_sent(self) -> None:
        while self._sent:
            call = self._sent.popleft()
            claimed = self._claimed.get(_attempt(call))
            if claimed is not None and claimed.calls:
                sent = self._of(call.agent).sent
                sent[claimed.calls] = sent.get(claimed.calls, 0) + 1

    def _of(self, agent: str) -> CallReports:
        return self._reports.setdefault(agent, CallReports())

    def _note_pause(self, agent: str, failed: Failed) -> None:
        requested = failed.error.retry_after
        if agent and requested and failed.error.code in PAUSING:
            self.pauses[agent] = max(self.pauses.get(agent, timedelta()), pause_of(requested))


def _attempt(call: AgentCall) -> Attempt:
    return call.execution_id, call.step, call.attempt
