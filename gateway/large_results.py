"""Results that are too large for an event: kept beside the log as an answer arrives, and put into a call before it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

import msgspec

from domain.agents.calls import AgentCall, Answer, Completed, Failed, StepError, Usage
from domain.jsonvalue import parse_json
from domain.large_results import LargeResult, references_in, replaced

LARGEST_OUTPUT = 1 << 20
"""Bytes of the JSON of an output that an event holds."""
AT_ONCE = 4
"""A worker holds so many times the bytes of a result, of answers that it reads and of calls that are given results."""
UNIT = 1 << 20
LARGEST_REPORT = 64 * 1024


class ByteRoom:
    """Room for bytes in memory, taken in the order of arrival; for one event loop. total: all of it, in bytes."""

    def __init__(self, total: int) -> None:
        self._most = -(-total // UNIT)
        self._units = asyncio.Semaphore(self._most)
        self._turn = asyncio.Lock()

    async def take(self, size: int) -> int:
        """Wait for room for `size` bytes, or all room if that is less; return the units taken."""
        units = min(-(-size // UNIT), self._most)
        taken = 0
        try:
            async with self._turn:
                while taken < units:
                    await self._units.acquire()
                    taken += 1
        except BaseException:
            self.give(taken)
            raise
        return taken

    def give(self, units: int) -> None:
        """Give units back."""
        for _ in range(units):
            self._units.release()


class KeepsLargeResults(Protocol):
    """Stores large results. key: seals references. most: bytes of one, and of all that one call is given."""

    key: bytes
    most: int

    def keep(self, execution: UUID, content: bytes) -> LargeResult:
        """Store a JSON text; return the reference to it."""

    def read(self, reference: LargeResult) -> bytes | None:
        """Return the JSON text of a reference; None if it was dropped."""


class LargeResults:
    """The large results of the calls of one gateway; for its event loop only."""

    def __init__(self, results: KeepsLargeResults) -> None:
        self.most = results.most
        self.answers = ByteRoom(AT_ONCE * results.most)
        self._calls = ByteRoom(AT_ONCE * results.most)
        self._results = results

    def refers(self, call: AgentCall) -> bool:
        """Return whether the call is given a large result; callable from any thread."""
        return any(references_in(self._results.key, [call.message, call.parameters]))

    async def answered(self, call: AgentCall, answer: Callable[[AgentCall], Awaitable[Answer]]) -> Answer:
        """Return the answer to the call with the contents of large results in place of the references to them."""
        references = list(references_in(self._results.key, [call.message, call.parameters]))
        size = sum(each.bytes for each in references)
        if size > self.most:
            return _failed("result_too_large", f"a call is given at most {self.most} bytes of large results")
        units = await self._calls.take(size)
        try:
            given = await self._given(call, references)
            return given if isinstance(given, Failed) else await self.kept(call, await answer(given))
        finally:
            self._calls.give(units)

    async def _given(self, call: AgentCall, references: Sequence[LargeResult]) -> AgentCall | Failed:
        key = self._results.key
        contents: dict[tuple[UUID, str], Any] = {}
        for each in references:
            content = await asyncio.to_thread(self._results.read, each)
            if content is None:
                return _failed("large_result_missing", f"the large result {each.digest} was dropped")
            contents[each.execution, each.digest] = await asyncio.to_thread(parse_json, content)
        return msgspec.structs.replace(
            call, message=replaced(key, call.message, contents), parameters=replaced(key, call.parameters, contents)
        )

    async def kept(self, call: AgentCall, answer: Answer) -> Answer:
        """Return the answer with a reference in place of an output that no event holds."""
        if not isinstance(answer, Completed):
            return answer
        content = await asyncio.to_thread(msgspec.json.encode, answer.output)
        if len(content) <= LARGEST_OUTPUT:
            return msgspec.structs.replace(answer, usage=_brief(answer.usage))
        if call.output_schema is not None:
            message = f"an output of more than {LARGEST_OUTPUT} bytes cannot be checked against output_schema"
            error = StepError("output_schema_mismatch", message)
        elif len(content) > self.most:
            error = StepError("agent_answer_malformed", f"the output has more than {self.most} bytes")
        else:
            reference = await asyncio.to_thread(self._results.keep, call.execution_id, content)
            return Completed(reference.value, _brief(answer.usage), answer.cost, answer.metered)
        return Failed(error, _brief(answer.usage), answer.cost, answer.metered)


def _brief(usage: Usage | None) -> Usage | None:
    """Return the counts without the report, if that is large itself."""
    if usage is not None and usage.raw is not None and len(msgspec.json.encode(usage.raw)) > LARGEST_REPORT:
        return Usage(usage.input_tokens, usage.output_tokens, usage.cached_tokens)
    return usage


def _failed(code: str, message: str) -> Failed:
    return Failed(StepError(code, message, permanent=True))
