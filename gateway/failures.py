"""The gateway's own failures of a call, by their stable codes."""

from datetime import timedelta
from typing import Any

from domain.agents.calls import Failed, StepError, Usage
from domain.costs.usage import Metered
from domain.money import Money
from domain.refusal import Malformed

AGENT = "the agent"
"""The receiver's name in messages; receivers are not only agents."""


class AnswerMalformed(Exception):
    """The agent's answer cannot be read or stored; the message gives the reason, without repeating the answer."""


def malformed(
    message: str, usage: Usage | None = None, cost: Money | None = None, metered: Metered | None = None
) -> Failed:
    """Return the failure of an answer that is not in the agreed form; another attempt may help."""
    error = StepError("agent_answer_malformed", f"the agent's answer is not usable: {message}")
    return Failed(error, usage, cost, metered)


def unreachable(reason: str, who: str = AGENT) -> Failed:
    """Return the failure of a connection that was not made, or broke before the answer was complete."""
    return Failed(StepError("agent_unreachable", f"{who} could not be reached: {reason}"))


def address_denied(reason: str) -> Failed:
    """Return the failure of a call that the operator's rules, or the default ones, deny; nothing was sent."""
    message = f"{reason}; the operator's PROCESSION_OUTGOING_ALLOW and PROCESSION_OUTGOING_DENY decide"
    return refused("address_denied", message)


def deadline_exceeded(allowed: timedelta | None = None, who: str = AGENT) -> Failed:
    """Return the failure of an answer that missed its time; `allowed` is the time given, None if unknown."""
    seconds = f" within {allowed.total_seconds():g} s" if allowed is not None else " before the deadline"
    return Failed(StepError("deadline_exceeded", f"{who} did not answer{seconds}"))


def misconfigured(reason: str, who: str = AGENT) -> Failed:
    """Return the failure of an unusable configuration; another attempt cannot help."""
    return Failed(StepError("agent_misconfigured", f"{who} is not configured correctly: {reason}", permanent=True))


def refused(code: str, message: str, **details: Any) -> Failed:
    """Return a permanent failure with a code of its own."""
    return Failed(StepError(code, message, permanent=True, details=details or None))


def summary(error: Malformed) -> str:
    """Return the problem in `error`, with its location."""
    problem = error.problems[0]
    return f"{problem.message} at {problem.path}" if problem.path else problem.message
