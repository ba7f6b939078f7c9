"""Executions that start one another: where one comes from, those its steps started, and what they cost together."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import chain, groupby, takewhile
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.catalogue import STORED_NAMES
from domain.event import Event
from domain.executions.events.child import SubProcessStarted
from domain.executions.events.compensation import CompensationRequired
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionRetried,
    ExecutionStarted,
)
from domain.money import Money, add
from queries.amounts import Amount
from queries.events import Point, is_up_to, read_starts, read_streams
from queries.steps import ChildExecution

# As exact as the sums of the read models.
_STATUSES: dict[type[Event], str] = {
    ExecutionStarted: "running",
    ExecutionQueued: "queued",
    ExecutionAdmitted: "running",
    ExecutionRetried: "running",
    CompensationRequired: "compensating",
    ExecutionCompleted: "completed",
    ExecutionFailed: "failed",
    ExecutionCancelled: "cancelled",
}
_OF_OTHERS = [STORED_NAMES[SubProcessStarted], STORED_NAMES[CostRecorded]]
_OF_CHILDREN = [*(STORED_NAMES[kind] for kind in _STATUSES), *_OF_OTHERS]


class ParentAttempt(msgspec.Struct, frozen=True):
    """The attempt of a step that started the execution."""

    execution_id: UUID
    step: str
    attempt: int


class Ancestor(msgspec.Struct, frozen=True):
    """An execution on the way from the root, and which of its steps leads on to the next."""

    execution_id: UUID
    process: str
    step: str


class Family(msgspec.Struct, frozen=True):
    """children: by the step that started them, the newest last. below: what all descendants cost."""

    children: dict[str, list[ChildExecution]]
    below: list[Money]


def read_path(connection: Connection[Any], started: ExecutionStarted) -> list[Ancestor]:
    """The way from the root to the execution that began with `started`, as the log has it."""
    if started.parent is None:
        return []
    path = started.parent.path
    began = {found.stream: found.event for found in read_starts(connection, path)}
    way: list[Ancestor] = []
    step = started.parent.step
    for id in reversed(path):
        above = began[id]
        assert isinstance(above, ExecutionStarted)
        way.append(Ancestor(id, above.process, step))
        step = above.parent.step if above.parent is not None else ""
    return way[::-1]


def read_family(connection: Connection[Any], stream: Iterable[Event], point: Point) -> Family:
    """The family below the execution with the events `stream`, up to `point`: a look at the log a generation.

    A generation is all that the one before it started, and a family has no more than the root may start.
    """
    children: dict[str, list[ChildExecution]] = {}
    below: list[Money] = []
    asked = [event for event in stream if isinstance(event, SubProcessStarted)]
    first = True
    while asked:
        following: list[SubProcessStarted] = []
        found = _until(connection, [each.child for each in asked], _OF_CHILDREN if first else _OF_OTHERS, point)
        if first:
            for each in sorted(asked, key=attrgetter("attempt")):
                if status := _status(found.get(each.child, [])):
                    child = ChildExecution(each.child, each.attempt, each.process, each.version, status)
                    children.setdefault(each.step, []).append(child)
        for event in chain.from_iterable(found.values()):
            if isinstance(event, SubProcessStarted):
                following.append(event)
            elif isinstance(event, CostRecorded) and event.cost is not None:
                below.append(event.cost)
        asked, first = following, False
    return Family(children, below)


def sums(costs: Iterable[Money]) -> list[Amount]:
    """One amount a currency."""
    found: dict[str, Decimal] = {}
    for cost in costs:
        found[cost.currency] = add(found.get(cost.currency, Decimal(0)), cost.amount)
    return [Amount(f"{amount:f}", currency) for currency, amount in sorted(found.items())]


def _until(connection: Connection[Any], streams: list[UUID], types: list[str], point: Point) -> dict[UUID, list[Event]]:
    found = read_streams(connection, streams, types)
    return {
        stream: [each.event for each in takewhile(lambda each: is_up_to(point, each), events)]
        for stream, events in groupby(found, attrgetter("stream"))
    }


def _status(events: list[Event]) -> str | None:
    """The status that `events` of an execution leave it in; None before its start."""
    statuses = [_STATUSES[type(event)] for event in events if type(event) in _STATUSES]
    return statuses[-1] if statuses else None
