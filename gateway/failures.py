"""The ways a call goes wrong that are the gateway's to name, by their stable codes."""

from datetime import timedelta
from typing import Any

from domain.agents.calls import Failed, StepError, Usage
from domain.refusal import Malformed

AGENT = "the agent"
"""Who it was, in messages; others than agents are called as well."""


class AnswerMalformed(Exception):
    """The agent answered something that cannot be read or stored; the message says what, without repeating it."""


def malformed(message: str, usage: Usage | None = None) -> Failed:
    """The agent answered, but not in the form agreed; asking again may help."""
    return Failed(StepError("agent_answer_malformed", f"the agent's answer is not usable: {message}"), usage=usage)


def unreachable(reason: str, who: str = AGENT) -> Failed:
    """No connection, or it broke before the answer was complete."""
    return Failed(StepError("agent_unreachable", f"{who} could not be reached: {reason}"))


def deadline_exceeded(allowed: timedelta | None = None, who: str = AGENT) -> Failed:
    """The answer was not there in time; `allowed` is how long it was waited for, where that is known."""
    seconds = f" within {allowed.total_seconds():g} s" if allowed is not None else " before the deadline"
    return Failed(StepError("deadline_exceeded", f"{who} did not answer{seconds}"))


def misconfigured(reason: str, who: str = AGENT) -> Failed:
    """The agent's configuration cannot be used; trying again cannot help."""
    return Failed(StepError("agent_misconfigured", f"{who} is not configured correctly: {reason}", permanent=True))


def refused(code: str, message: str, **details: Any) -> Failed:
    """A permanent failure with a code of its own."""
    return Failed(StepError(code, message, permanent=True, details=details or None))


def told(error: Malformed) -> str:
    """What is wrong according to `error`, and where."""
    problem = error.problems[0]
    return f"{problem.message} at {problem.path}" if problem.path else problem.message
