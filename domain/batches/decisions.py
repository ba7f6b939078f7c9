"""Decisions about batches: pure functions from state and cause to events."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain.batches.acts import problems_of_act
from domain.batches.batch import ENDED, RUNNING, STOPPED, FrozenBatch, fold
from domain.batches.events import (
    BatchAdvanced,
    BatchEnded,
    BatchExecutionsListed,
    BatchFrozen,
    BatchStarted,
    BatchStopped,
    RefusedExecution,
)
from domain.event import Cause, Event, record
from domain.refusal import Forbidden, Malformed

LASTS = timedelta(hours=1)
"""A batch starts within this time, or never: executions change meanwhile."""
LISTED_TOGETHER = 1_000


class NothingMatches(Forbidden):
    """The filter finds no execution."""

    code = "nothing_matches"


class BatchExpired(Forbidden):
    """The list was frozen too long ago."""

    code = "batch_expired"


class BatchStoppedAlready(Forbidden):
    """The batch was stopped; the rest of its list is a new batch."""

    code = "batch_stopped"


class BatchEndedAlready(Forbidden):
    """Every execution of the list has been gone through."""

    code = "batch_ended"


class NewBatch(msgspec.Struct, frozen=True):
    """The description of a batch that is to be frozen; the fields are those of `BatchFrozen`, with the list itself."""

    act: str
    filter: Mapping[str, Any]
    executions: Sequence[UUID]
    processes: Sequence[str]
    as_of_position: int
    step: str = ""
    agent: str = ""


def freeze_batch(new: NewBatch, cause: Cause) -> list[Event]:
    """Fix the list of a batch. Raises Malformed with all problems of the act, or NothingMatches."""
    problems = problems_of_act(new.act, new.step, new.agent)
    if problems:
        raise Malformed(problems[0].message, problems)
    if not new.executions:
        raise NothingMatches("no execution matches the filter")
    frozen = record(
        BatchFrozen,
        cause,
        act=new.act,
        step=new.step,
        agent=new.agent,
        filter=dict(new.filter),
        count=len(new.executions),
        processes=sorted(set(new.processes)),
        as_of_position=new.as_of_position,
        expires_at=cause.at + LASTS,
    )
    parts = range(0, len(new.executions), LISTED_TOGETHER)
    listed = [list(new.executions[begin : begin + LISTED_TOGETHER]) for begin in parts]
    return [frozen, *(record(BatchExecutionsListed, cause, executions=part) for part in listed)]


def run_batch(batch: FrozenBatch, reason: str, cause: Cause) -> list[Event]:
    """Let workers act on the list. Returns no events when they do, or have done.

    Raises BatchExpired or BatchStoppedAlready.
    """
    if batch.status in (RUNNING, ENDED):
        return []
    if batch.status == STOPPED:
        raise BatchStoppedAlready("the batch was stopped; freeze another one for what is left")
    if cause.at > batch.expires_at:
        raise BatchExpired("the list was frozen more than an hour ago; freeze it anew", expired_at=batch.expires_at)
    return [record(BatchStarted, cause, reason=reason)]


def stop_batch(batch: FrozenBatch, reason: str, cause: Cause) -> list[Event]:
    """Leave the rest of the list alone, or all of it before the start. Returns no events when it is stopped.

    Raises BatchEndedAlready.
    """
    if batch.status == STOPPED:
        return []
    if batch.status == ENDED:
        raise BatchEndedAlready("every execution of the list has been gone through")
    return [record(BatchStopped, cause, reason=reason)]


def advance_batch(
    batch: FrozenBatch, done: int, unchanged: int, refused: Sequence[RefusedExecution], cause: Cause
) -> list[Event]:
    """Note what was done to the next executions of the list, and the end after the last one."""
    assert batch.status == RUNNING
    advanced = record(BatchAdvanced, cause, done=done, unchanged=unchanged, refused=list(refused))
    after = fold(batch, [advanced])
    assert after is not None
    if after.passed < after.count:
        return [advanced]
    ended = record(BatchEnded, cause, done=after.done, unchanged=after.unchanged, refused=after.refused)
    return [advanced, ended]
