"""The timers of an execution: what they are for, and what a decision did to them."""

from datetime import datetime

TIMER, TIMEOUT, TOTAL_TIMEOUT, RETRY, HEARTBEAT = "timer", "timeout", "total_timeout", "retry", "heartbeat"
DEADLINE = "deadline"
KINDS = (TIMER, TIMEOUT, TOTAL_TIMEOUT, RETRY, HEARTBEAT, DEADLINE)

TimerKey = tuple[str, str]
"""(step, kind)"""
Timers = dict[TimerKey, datetime]
"""When each is due, in aware UTC time."""


def timers_set(before: Timers, after: Timers) -> Timers:
    """Those that are new or due at another time than before."""
    if not after:
        return {}
    return {key: due_at for key, due_at in after.items() if before.get(key) != due_at}


def timers_dropped(before: Timers, after: Timers) -> list[TimerKey]:
    """Those that are no longer there."""
    return [key for key in before if key not in after]
