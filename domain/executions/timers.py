"""The timers of an execution: their kinds, and the changes by a decision."""

from datetime import datetime

TIMER, TIMEOUT, TOTAL_TIMEOUT, RETRY, HEARTBEAT = "timer", "timeout", "total_timeout", "retry", "heartbeat"
DEADLINE, ROUND = "deadline", "round"
KINDS = (TIMER, TIMEOUT, TOTAL_TIMEOUT, RETRY, HEARTBEAT, DEADLINE, ROUND)

TimerKey = tuple[str, str]
"""(step, kind)"""
DueTimes = dict[TimerKey, datetime]
"""When each is due, in aware UTC time."""


def timers_set(before: DueTimes, after: DueTimes) -> DueTimes:
    """Return the timers that are new or due at another time than before."""
    if not after:
        return {}
    return {key: due_at for key, due_at in after.items() if before.get(key) != due_at}


def timers_dropped(before: DueTimes, after: DueTimes) -> list[TimerKey]:
    """Return the timers that no longer exist."""
    return [key for key in before if key not in after]
