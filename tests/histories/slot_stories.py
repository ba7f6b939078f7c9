"""What happened in the golden histories of executions that wait in lines. Add; never change a told one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.event import Cause, Event
from domain.executions.decisions.execution import admit_execution, start_execution
from domain.executions.decisions.step import complete_step, start_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import Parent
from domain.executions.events.execution import Trigger
from domain.identity import process_id
from domain.language import parse_definition
from domain.processes.decisions import draft_process, publish_process
from domain.processes.plan import Plan
from domain.processes.process import fold

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

LINES = "golden-lines"
SOURCE = """name: golden-lines
description: Answers few letters of each customer at once, urgent ones first.
input:
  customer: {type: string, required: true}
  urgent: {type: integer, default: 0}
max_running: {limit: 2, per: "{{ input.customer }}"}
priority: "{{ input.urgent * 10 }}"
steps:
  - {id: answer, agent: mailer, message: "Answer {{ input.customer }}"}
"""
URGENT = UUID("01900000-0000-7000-8000-00000000e101")
CALLED = UUID("01900000-0000-7000-8000-00000000e102")
CALLER = UUID("01900000-0000-7000-8000-00000000e103")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def process_with_lines(_: Plans) -> Told:
    """Drafted and published: with a limit for each key, and a priority."""
    parsed = parse_definition(SOURCE)
    assert parsed.name is not None
    assert not parsed.errors, parsed.errors
    events = draft_process(None, parsed, Cause(BEGIN, "user:ann"))
    state = fold(events)
    assert state is not None
    return process_id(parsed.name), events + publish_process(state, parsed, [], Cause(BEGIN, "user:ann"))


def _waited(begun: Unfolding) -> list[Event]:
    """It begins after a minute, and ends."""
    events = begun.events
    for minutes, decide in enumerate(
        (
            lambda execution, cause: admit_execution(execution, cause, limit=2),
            lambda execution, cause: start_step(execution, "answer", 1, cause),
            lambda execution, cause: complete_step(execution, "answer", 1, "Dear customer", cause),
        ),
        1,
    ):
        begun = decide(begun.execution, Cause(BEGIN + timedelta(minutes=minutes), "worker:tie", "room", "tie"))
        events = events + begun.events
    return events


def execution_in_a_line(known: Plans) -> Told:
    """It waits for a slot of its key, before others by its priority."""
    given = {"customer": "acme", "urgent": 3}
    cause = Cause(BEGIN, "user:ann", "request", "tie")
    return URGENT, _waited(start_execution(URGENT, known[process_id(LINES), 1], given, Trigger(), cause))


def execution_called_in_a_line(known: Plans) -> Told:
    """Another execution calls it, so it waits for a slot and for no end of a pause."""
    parent = Parent(CALLER, "call", 1, CALLER, 1, [CALLER])
    begun = start_execution(
        CALLED,
        known[process_id(LINES), 1],
        {"customer": "acme", "urgent": 0},
        Trigger("sub_process", "call"),
        Cause(BEGIN, "worker:tie", "message", str(CALLER)),
        parent=parent,
    )
    return CALLED, _waited(begun)


STORIES: dict[str, Callable[[Plans], Told]] = {
    "process-with-lines": process_with_lines,
    "execution-in-a-line": execution_in_a_line,
    "execution-called-in-a-line": execution_called_in_a_line,
}
