"""The calls that a gateway has open, and the ways to answer them."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from domain.agents.calls import AgentCall, Answer
from gateway.adapter import Adapter

DeliverAnswer = Callable[[AgentCall, Answer], None]
NoteSent = Callable[[AgentCall], None]
AttemptKey = tuple[UUID, str, int]


class ReadAgent(NamedTuple):
    """A configuration as it was given, and the way to answer calls under it: at once, or by waiting.

    is_priced: what an answer at once used has a price.
    """

    config: dict[str, Any]
    instant: Callable[[AgentCall], Answer] | None
    adapter: Adapter | None
    is_priced: bool = False


class InstantAdapter:
    """An adapter that answers at once, for a call that waits for its large results or for prices."""

    def __init__(self, answer_now: Callable[[AgentCall], Answer]) -> None:
        self._answer_now = answer_now

    async def answer(self, call: AgentCall) -> Answer:
        """Return the answer."""
        return self._answer_now(call)


class OpenCall:
    """A call under way. config: of its agent; None: it has none. refers: it is given large results.

    sends: called when the call goes out.
    """

    __slots__ = ("adapter", "call", "config", "deliver", "refers", "sends", "task")

    def __init__(
        self,
        call: AgentCall,
        adapter: Adapter,
        deliver: DeliverAnswer,
        config: dict[str, Any] | None = None,
        *,
        refers: bool = False,
        sends: NoteSent = lambda _call: None,
    ) -> None:
        self.sends = sends
        self.refers = refers
        self.config = config
        self.call = call
        self.adapter = adapter
        self.deliver = deliver
        self.task: asyncio.Task[Answer] | None = None

    @property
    def key(self) -> AttemptKey:
        """The attempt."""
        return self.call.execution_id, self.call.step, self.call.attempt
