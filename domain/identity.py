"""Ids: time-ordered for new things, derived from the name for named things."""

import random
import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from uuid import UUID, uuid5

PROCESS_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WITH_TIME = (7, 8)
AGENT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

NAMESPACE = UUID("6f1c2b1e-4d5a-5f7e-9c3b-70726f636573")
KEYS_ID = uuid5(NAMESPACE, "keys")
"""The id of the stream of all keys."""
PRICES_ID = uuid5(NAMESPACE, "prices")
"""The id of the stream of all prices of the operator."""
ARCHIVE_ID = uuid5(NAMESPACE, "archive")
"""The id of the stream that records which executions left the log for files."""

# Ids are no secrets, and requesting random bits of the system for each one is a detour through the kernel.
_random = random.Random(random.SystemRandom().getrandbits(128))  # noqa: S311


def new_id() -> UUID:
    """Return a UUID version 7 (RFC 9562): later ids sort after earlier ones, so that index pages fill in order."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | _random.getrandbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


@lru_cache(4096)
def process_id(name: str) -> UUID:
    """Return the id of the process called `name`: the first event appended to this stream claims the name."""
    return uuid5(NAMESPACE, f"process:{name}")


def trigger_id(name: str) -> UUID:
    """Return the id of the stream that records which process has the webhook trigger with that id."""
    return uuid5(NAMESPACE, f"trigger:{name}")


@lru_cache(4096)
def agent_id(name: str) -> UUID:
    """Return the id of the agent called `name`."""
    return uuid5(NAMESPACE, f"agent:{name}")


def child_id(parent: UUID, step: str, attempt: int) -> UUID:
    """Return the id of the execution that an attempt of a step starts; every caller derives the same id.

    It has the time of its parent, unless that has none: an execution that a release before started as a child.
    """
    text = f"child:{parent}:{step}:{attempt}"
    if parent.version in _WITH_TIME:
        return _hashed(parent.int >> 80, text)
    return uuid5(NAMESPACE, text)


def approval_id(execution_id: UUID, step: str, attempt: int) -> str:
    """Return the id of the approval that an attempt requests."""
    return f"{execution_id}:{step}:{attempt}"


def schedule_id(process: UUID, trigger: str) -> UUID:
    """Return the id of the schedule of a process's trigger: a rule replaced, or registered anew, stays one schedule."""
    return uuid5(NAMESPACE, f"schedule:{process}:{trigger}")


def template_id(name: str) -> UUID:
    """Return the id of the stream of the organisation's template called `name`."""
    return uuid5(NAMESPACE, f"template:{name}")


def calendar_id(name: str) -> UUID:
    """Return the id of the calendar called `name`."""
    return uuid5(NAMESPACE, f"calendar:{name}")


def thresholds_id(process: UUID) -> UUID:
    """Return the id of the stream of the cost thresholds of a process."""
    return uuid5(NAMESPACE, f"cost-thresholds:{process}")


def roles_id(process: UUID) -> UUID:
    """Return the id of the stream of the roles of a process."""
    return uuid5(NAMESPACE, f"roles:{process}")


def inbox_filter_id(agent: str) -> UUID:
    """Return the id of the stream of the filters that an agent sets for its inbox."""
    return uuid5(NAMESPACE, f"inbox-filter:{agent}")


def acknowledgements_id(agent: str) -> UUID:
    """Return the id of the stream of what an agent acknowledges in its inbox."""
    return uuid5(NAMESPACE, f"inbox-acknowledgements:{agent}")


ZONE_DATA = uuid5(NAMESPACE, "zone data")
"""The id of the stream that notes by which edition of the zone data next runs are worked out."""


def occurrence_id(schedule: UUID, at: datetime) -> UUID:
    """Return the id of the execution that a schedule starts for the instant `at`; every worker derives the same id."""
    milliseconds = max(0, (at - _EPOCH) // timedelta(milliseconds=1))
    return _hashed(milliseconds, f"occurrence:{schedule}:{at.astimezone(UTC).isoformat()}")


def _hashed(milliseconds: int, text: str) -> UUID:
    """Return a UUID version 8: milliseconds since 1970, so that ids sort by time, then a hash of `text`."""
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(sha256(text.encode()).digest()[:10])
    value = (value & ~(0xF << 76)) | (0x8 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)
