"""The kinds of things that an execution waits for, stated once: for the list, for the detail, and for the past."""

from domain.executions.events.outcomes import ACCEPTED, QUEUED, RETRYING, SCHEDULED, STARTED, WAITING

APPROVAL, TIMER, CHILD, SLOT, RETRY, AGENT, RATE = "approval", "timer", "child", "slot", "retry", "agent", "rate"
# In the order of views: the people first.
AWAITED_KINDS = (APPROVAL, TIMER, CHILD, SLOT, RETRY, AGENT, RATE)

_WAITING = {"human_approval": APPROVAL, "timer": TIMER, "sub_process": CHILD}
# A worker delivers a notification as it calls an agent.
_ANSWERED = frozenset(("agent_task", "notification"))
_ATTEMPTED = frozenset((SCHEDULED, STARTED, ACCEPTED))


def awaited_by_step(status: str, type: str) -> str | None:
    """Return the kind of what a step of `type` waits for in `status`; None when it waits for nothing.

    A retry waits for its time, whatever the type. An agent is awaited from the moment that its attempt is due until its
    answer, also when it answers later. A timeout is nothing that a step waits for. The rate of an agent is a matter of
    the present alone: its steps wait for the agent, and the due list says that they wait for its rate.
    """
    if status == RETRYING:
        return RETRY
    if status == WAITING:
        return _WAITING.get(type)
    return AGENT if status in _ATTEMPTED and type in _ANSWERED else None


def awaited_by_execution(status: str) -> str | None:
    """Return the kind of what an execution in `status` waits for before its steps begin; None for nothing."""
    return SLOT if status == QUEUED else None
