"""The entries of inboxes: a row an event that concerns an agent, with the summary of what came out."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.string import ByteaBinaryLoader

from domain.inbox.concerns import RETRIABLE, TYPES, is_outcome, withdraws
from domain.inbox.contents import content_of
from domain.inbox.summary import summarise
from projections.facts import OF_EXECUTIONS, Fact
from projections.inbox.retention import HORIZON
from projections.projection import clean
from projections.table import Table, fixed, key
from store import arrays


class EntryRow(msgspec.Struct, gc=False):
    """An entry. stream, stream_version: the event itself, which names the entry for ever. step: empty for none.

    labels: of the process in the version that runs. summary: JSON text.
    """

    position: Annotated[int, key("bigint")]
    stream: Annotated[bytes, fixed("uuid not null")]
    stream_version: Annotated[int, fixed("int not null")]
    type: Annotated[str, fixed("text not null")]
    outcome: Annotated[str, fixed("text not null")]
    process_id: Annotated[bytes, fixed("uuid not null")]
    process: Annotated[str, fixed("text not null")]
    version: Annotated[int, fixed("int not null")]
    execution_id: Annotated[bytes | None, fixed("uuid")]
    step: Annotated[str, fixed("text not null")]
    at: Annotated[datetime, fixed("timestamptz not null")]
    labels: Annotated[list[str], fixed("json not null")]
    summary: Annotated[str, fixed("text not null")]
    truncated: Annotated[bool, fixed("bool not null")]


ENTRIES = Table("inbox_entries", EntryRow)

_PROCESSES = "select p from unnest(%b) as p where exists (select from inbox_roles r where r.process_id = p)"
_IN_TIME = "r.from_position < x.position and (r.until_position is null or r.until_position > x.position)"
# For each event one look-up by the primary key of inbox_roles.
_CONCERNED = f"""select x.position from unnest(%b, %b, %b) as x(process_id, step, position)
where x.position > {HORIZON} and (
  exists (select from inbox_roles r where r.process_id = x.process_id and r.step = x.step and {_IN_TIME})
  or x.step = '' and exists (select from inbox_roles r where r.process_id = x.process_id and {_IN_TIME}))"""
# The events of one decision have consecutive positions. No join: each is found by its key, whatever the statistics.
_WITHDRAW = """delete from inbox_entries e where e.position = any(%b)
  and ((e.position, e.stream, e.step) in (select * from unnest(%b, %b, %b))) is true
  and e.type in ('StepFailed', 'StepTimedOut')"""


class EntryChanges(msgspec.Struct):
    """The events of a page that may make entries, by position, and failures of pages before that were no outcomes."""

    facts: dict[int, Fact] = {}
    withdrawn: list[tuple[int, bytes, str]] = []


def withdraw(changes: EntryChanges, fact: Fact) -> None:
    """Take back the failure right before the event, if the event says that it was no final outcome."""
    if not withdraws(fact.topic, getattr(fact.event, "reason", "")):
        return
    failure = changes.facts.get(fact.position - 1)
    if failure is None:
        changes.withdrawn.append((fact.position - 1, fact.stream, _place(fact)))
    elif (failure.stream, step_of(failure)) == (fact.stream, _place(fact)) and failure.topic in RETRIABLE:
        del changes.facts[fact.position - 1]


def collect(changes: EntryChanges, fact: Fact) -> None:
    """Keep an event that may make an entry."""
    if is_outcome(fact.topic, getattr(fact.event, "reason", "")):
        changes.facts[fact.position] = fact


def write_entries(connection: Connection[Any], changes: EntryChanges) -> None:
    """Write the entries of the events that concern an agent at their positions."""
    if changes.withdrawn:
        positions, streams, steps = zip(*changes.withdrawn, strict=True)
        given = (arrays.uuid_bytes(streams), arrays.texts(steps))
        connection.execute(_WITHDRAW, (arrays.bigints(positions), arrays.bigints(positions), *given), prepare=True)
    concerned = _concerned(connection, list(changes.facts.values()))
    ENTRIES.write(connection, [entry_of(fact) for fact in concerned])


def entry_of(fact: Fact) -> EntryRow:
    """Return the entry of an event in TYPES."""
    event = fact.event
    summary = summarise(content_of(fact.topic, event))
    execution: bytes | None = fact.stream
    labels: tuple[str, ...] = ()
    if fact.topic in OF_EXECUTIONS:
        origin = fact.origin
        process, version, labels = origin.process, origin.version, origin.labels
    else:
        process, version = event.process, event.version
        execution = None if event.execution_id is None else event.execution_id.bytes
    return EntryRow(
        position=fact.position,
        stream=fact.stream,
        stream_version=fact.version,
        type=fact.topic,
        outcome=TYPES[fact.topic],
        process_id=process_of(fact),
        process=process,
        version=version,
        execution_id=execution,
        step=step_of(fact),
        at=event.at,
        labels=list(labels),
        summary=summary.text,
        truncated=summary.truncated,
    )


def is_of_a_process(fact: Fact) -> bool:
    """Return whether the log has the process of an event in TYPES; it lacks the start of some executions."""
    return fact.topic not in OF_EXECUTIONS or fact.has_origin


def process_of(fact: Fact) -> bytes:
    """Return the id of the process of an event in TYPES."""
    id: bytes = fact.origin.process_id if fact.topic in OF_EXECUTIONS else fact.event.process_id.bytes
    return id


def step_of(fact: Fact) -> str:
    """Return the step of an event, with those that hold it; empty for one of a whole execution, or process."""
    return _place(fact) if fact.topic.startswith(("Step", "Approval")) else ""


def _place(fact: Fact) -> str:
    step: str = fact.event.step
    return clean(fact.origin.place(step) if fact.has_origin else step)


def _concerned(connection: Connection[Any], facts: list[Fact]) -> list[Fact]:
    """Return the events that concern an agent. Where no process has informed agents, that is one query for a page."""
    # An execution is of one process, and so is an alert.
    streams = {fact.stream: fact for fact in facts}
    origins = facts[0].page.all() if facts else {}
    processes = {
        stream: origins[stream].process_id if fact.topic in OF_EXECUTIONS else process_of(fact)
        for stream, fact in streams.items()
        if stream in origins or fact.topic not in OF_EXECUTIONS
    }
    if not processes:
        return []
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        given: tuple[arrays.Array, ...] = (arrays.uuid_bytes([*{*processes.values()}]),)
        with_roles = {id for (id,) in cursor.execute(_PROCESSES, given, prepare=True)}
        placed = [fact for fact in facts if processes.get(fact.stream) in with_roles] if with_roles else []
        if not placed:
            return []
        given = (
            arrays.uuid_bytes([processes[fact.stream] for fact in placed]),
            arrays.texts([step_of(fact) for fact in placed]),
            arrays.bigints([fact.position for fact in placed]),
        )
        positions = {position for (position,) in cursor.execute(_CONCERNED, given, prepare=True)}
    return [fact for fact in placed if fact.position in positions]
