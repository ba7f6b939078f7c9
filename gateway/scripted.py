"""Scripted agents: they run inside the worker, for tests, demos and benchmarks.

Their token counts are made up but exact: input_tokens is the number of words (as ``str.split`` counts them) in the
message, output_tokens the number of words in the answer; a value that is not a text counts as its compact JSON. A
failing call counts its input only. ``usage: none`` records nothing and is the cheapest.
"""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from domain.agents.calls import AgentCall, Answer, Completed, Failed, StepError, Usage
from domain.agents.fields import Tokens
from domain.agents.scripted import ScriptedConfig, ScriptedError
from gateway.answers import check_answer
from gateway.failures import AnswerMalformed, malformed
from gateway.usage.counts import Measured
from gateway.usage.ours import measure_ours

SLOW = timedelta(seconds=1)
Script = Callable[[AgentCall], Any]


class Scripted:
    """One scripted agent. Answers at once (`answer_now`) unless it has a delay (`answer`)."""

    def __init__(self, config: ScriptedConfig) -> None:
        usual = SLOW if config.script == "slow" else timedelta()
        self.delay = usual if config.delay is None else config.delay
        self.answer_now = self._chosen(config)
        self._record = config.record
        if config.record is not None and not may_record(config.record):
            self.delay, self.answer_now = timedelta(), _may_not_record

    async def answer(self, call: AgentCall) -> Answer:
        """Return the answer, after the delay; the call is noted before it."""
        if self._record is not None and (failed := note(self._record, call)):
            return failed
        await asyncio.sleep(self.delay.total_seconds())
        return self._reply(call)

    def _chosen(self, config: ScriptedConfig) -> Callable[[AgentCall], Answer]:
        self._script = _SCRIPTS[config.script](config)
        self._usage = config.usage
        self._fixed, self._metered = _measured(config.usage)
        self.is_priced = self._metered is not None or config.provider is not None
        self._cost = config.cost.money if config.cost else None
        if config.script == "echo" and config.usage == "none" and config.cost is None and config.record is None:
            return _bare_echo
        return self._reply if config.record is None else self._noted_reply

    def _noted_reply(self, call: AgentCall) -> Answer:
        assert self._record is not None
        return note(self._record, call) or self._reply(call)

    def _reply(self, call: AgentCall) -> Answer:
        output = self._script(call)
        if isinstance(output, StepError):
            return Failed(output, self._used(call.message, ""), self._cost, self._metered)
        used = self._used(call.message, output) if self._usage == "counted" else self._fixed
        return Completed(output, used, self._cost, self._metered)

    def _used(self, message: Any, output: Any) -> Usage | None:
        usage = self._usage
        if usage == "counted":
            return Usage(words(message), words(output))
        return self._fixed


def _measured(usage: Any) -> Measured:
    """Return the use that a configuration states for every call, as an agent over HTTP would report it."""
    if not isinstance(usage, Tokens):
        return Measured()
    stated = usage.model_dump(exclude_none=True)
    used, metered = measure_ours(stated)
    if metered is None:
        return Measured(used and Usage(used.input_tokens, used.output_tokens, used.cached_tokens))
    return Measured(used, metered)


def words(value: Any) -> int:
    """Return the number of words in a text, or in the compact JSON of another value."""
    return len((value if isinstance(value, str) else msgspec.json.encode(value).decode()).split())


def may_record(path: str) -> bool:
    """Return whether scripted agents may keep records at `path`: below the directory PROCESSION_RECORDS.

    Without that limit, anybody who may register an agent could have a worker write to any file.
    """
    allowed = os.environ.get("PROCESSION_RECORDS")
    return bool(allowed) and Path(path).resolve().is_relative_to(Path(allowed or "").resolve())


def _may_not_record(call: AgentCall) -> Answer:
    message = "records are kept only below the directory that the worker's setting PROCESSION_RECORDS names"
    return Failed(StepError("record_not_allowed", message, permanent=True))


def note(path: str, call: AgentCall) -> Failed | None:
    """Append the call's idempotency key to the file at `path`, in one write.

    Returns a Failed when that is not possible.
    """
    line = f"{call.idempotency_key}\n".encode()
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(file, line)
        finally:
            os.close(file)
    except OSError as error:
        message = f"the call could not be noted in {path}: {error.strerror}"
        return Failed(StepError("record_failed", message, permanent=True))
    return None


def _bare_echo(call: AgentCall) -> Answer:
    return Completed(call.message)


def _echo(config: ScriptedConfig) -> Script:
    return lambda call: call.message


def _json_echo(config: ScriptedConfig) -> Script:
    return lambda call: {
        "agent": call.agent,
        "step": call.step,
        "attempt": call.attempt,
        "message": call.message,
        "parameters": call.parameters,
    }


def _fail(config: ScriptedConfig) -> Script:
    error = _error(config)
    return lambda call: error


def _flaky(config: ScriptedConfig) -> Script:
    failures = 1 if config.failures is None else config.failures
    error = _error(config)
    return lambda call: error if call.attempt <= failures else call.message


def _answers(config: ScriptedConfig) -> Script:
    answers = config.answers
    try:
        check_answer(answers)
    except AnswerMalformed as problem:
        unusable = malformed(str(problem)).error
        return lambda call: unusable
    if isinstance(answers, list):
        return lambda call: answers[min(call.attempt, len(answers)) - 1]
    return lambda call: answers[call.step] if call.step in answers else answers.get("*", _no_answer(call))


def _no_answer(call: AgentCall) -> StepError:
    return StepError("no_scripted_answer", f"the agent has no answer for step {call.step!r}", permanent=True)


def _error(config: ScriptedConfig) -> StepError:
    error = config.error or ScriptedError()
    return StepError(error.code, error.message, error.permanent, error.retry_after)


_SCRIPTS: dict[str, Callable[[ScriptedConfig], Script]] = {
    "echo": _echo,
    "json_echo": _json_echo,
    "fail": _fail,
    "flaky": _flaky,
    "slow": _echo,
    "answers": _answers,
}
