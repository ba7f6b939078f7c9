"""Golden histories: events as they were stored, and what they add up to. Run, it adds what is not recorded yet.

A history is recorded once and never written again; neither is an entry of events.json. What a later release makes of
them is compared with what was recorded. Only the state is not stored for ever: where it is given another shape on
purpose, delete the `.state.json`, run this again, and read the difference.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec

from app.event_shapes import Shape, event_shapes, part_shapes
from domain.agents import agent
from domain.agents.agent import Agent
from domain.agents.events import AgentRegistered
from domain.alerts import alert, thresholds
from domain.alerts.events import CostAlertRaised, CostThresholdSet
from domain.archive import archive
from domain.archive.events import ArchivingStarted
from domain.batches import batch
from domain.batches.events import BatchFrozen
from domain.calendars import calendar
from domain.calendars.events import CalendarDefined
from domain.costs import prices
from domain.costs.events import PriceAdded
from domain.costs.prices import PriceList
from domain.event import Event
from domain.executions.events.execution import ExecutionStarted
from domain.executions.state.evolution import fold as fold_execution
from domain.executions.state.model import Execution
from domain.inbox.events import InboxFilterSet, NotificationsAcknowledged
from domain.keys import key
from domain.keys.events import KeyCreated
from domain.keys.key import KeyRing
from domain.language import load_definition
from domain.processes import claims, process
from domain.processes.claims import TriggerClaimed
from domain.processes.events import ProcessDrafted, ProcessPublished
from domain.processes.plan import compile_plan
from domain.roles import roles
from domain.roles.events import RoleAssigned
from domain.schedules import schedule
from domain.schedules.events import ScheduleRegistered
from domain.templates import state as template
from domain.templates.events import TemplatePublished
from domain.zone_data.events import ZoneDataAdopted, edition
from store.mapper import STORED_NAMES, decode, encode
from tests.histories.stories import STORIES, Plans

HERE = Path(__file__).parent
SHAPES = HERE / "events.json"
PLANS = ("plan", "callees")

Recorded = dict[str, dict[str, Shape]]


class Row(msgspec.Struct):
    """One event as it lies in the log. state: the stored bytes, as text."""

    stream: UUID
    version: int
    topic: str
    state: str

    def event(self) -> Event:
        """The event as this release reads it."""
        return decode(self.topic, self.state.encode())


def names() -> list[str]:
    """The histories there are."""
    return sorted(file.stem for file in HERE.glob("*.jsonl"))


def rows(name: str) -> list[Row]:
    """The events of one history, oldest first."""
    lines = (HERE / f"{name}.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Row) for line in lines]


def recorded_state(name: str) -> Any:
    """What the events of a history added up to when it was recorded."""
    return json.loads((HERE / f"{name}.state.json").read_text())


def plans(histories: Iterator[list[Row]]) -> Plans:
    """Every version that is published in some history."""
    return {
        (row.stream, event.version): compile_plan(
            load_definition(event.definition), row.stream, event.version, rules=event.rules
        )
        for history in histories
        for row in history
        if isinstance(event := row.event(), ProcessPublished)
    }


FOLDS: dict[type[Event], Callable[[list[Event]], Any]] = {
    AgentRegistered: lambda events: agent.fold(Agent(), events),
    ProcessDrafted: process.fold,
    KeyCreated: lambda events: key.fold(KeyRing(), events),
    PriceAdded: lambda events: prices.fold(PriceList(), events),
    TriggerClaimed: claims.fold,
    ScheduleRegistered: lambda events: schedule.fold(None, events),
    ZoneDataAdopted: edition,
    ArchivingStarted: archive.fold,
    CalendarDefined: calendar.fold,
    CostThresholdSet: thresholds.fold,
    BatchFrozen: lambda events: batch.fold(None, events),
    CostAlertRaised: alert.fold,
    RoleAssigned: lambda events: [[*key, role] for key, role in roles.fold(events).items()],
    InboxFilterSet: lambda events: cast(InboxFilterSet, events[-1]).filter,
    NotificationsAcknowledged: lambda events: cast(NotificationsAcknowledged, events[-1]).until,
    TemplatePublished: template.fold,
}
"""By the first event of a stream, what its events add up to."""


def state_of(stream: UUID, events: list[Event], known: Plans) -> Any:
    """What events add up to, as JSON; of an execution all but the plans, which are its processes'."""
    started = events[0]
    if isinstance(started, ExecutionStarted):
        plan = known[started.process_id, started.version].inner(started.body)
        folded = fold_execution(Execution(stream, plan), events)
        state = {field: getattr(folded, field) for field in Execution.__struct_fields__ if field not in PLANS}
    else:
        state = FOLDS[type(started)](events)
    return json.loads(msgspec.json.encode(state, enc_hook=list))  # the ends of items are no type of msgspec's


def stored(stream: UUID, events: list[Event]) -> list[Row]:
    """The rows in which the log keeps the events of a stream."""
    return [Row(stream, n, STORED_NAMES[type(event)], encode(event).decode()) for n, event in enumerate(events, 1)]


def write_history(name: str, stream: UUID, events: list[Event], known: Plans) -> None:
    """Record a history and what it adds up to. Raises FileExistsError when it has been recorded."""
    with (HERE / f"{name}.jsonl").open("xb") as file:
        file.write(b"".join(msgspec.json.encode(row) + b"\n" for row in stored(stream, events)))
    write_state(name, known)


def write_state(name: str, known: Plans) -> None:
    """Record what the stored events of a history add up to. Raises FileExistsError when that has been recorded."""
    recorded = rows(name)
    state = state_of(recorded[0].stream, [row.event() for row in recorded], known)
    with (HERE / f"{name}.state.json").open("x") as file:
        file.write(json.dumps(state, indent=1, ensure_ascii=False) + "\n")


def shapes_now() -> Recorded:
    """The shapes of this release."""
    return {"events": event_shapes(), "parts": part_shapes()}


def recorded_shapes() -> Recorded:
    """The shapes that the log may hold."""
    return msgspec.json.decode(SHAPES.read_bytes(), type=Recorded) if SHAPES.exists() else {"events": {}, "parts": {}}


def grown(recorded: Recorded, now: Recorded) -> Recorded:
    """What was recorded, as it was, and after it what is new; not a field that stored events lack against its rule."""
    found: Recorded = {}
    for group, shapes in now.items():
        was = {name: shape.fields for name, shape in recorded[group].items()}
        fields = {name: shape.fields for name, shape in shapes.items()}
        for name in fields.keys() & was.keys():
            new = {key: field for key, field in fields[name].items() if not field.required}
            fields[name] = was[name] | new | was[name]
        found[group] = {name: Shape(each) for name, each in (fields | was | fields).items()}
    return found


def main() -> None:
    """Add what is not recorded yet: shapes to events.json, and every story that has no history."""
    shapes = grown(recorded_shapes(), shapes_now())
    SHAPES.write_text(json.dumps(msgspec.to_builtins(shapes), indent=1, ensure_ascii=False) + "\n")
    for name, story in STORIES.items():
        if name not in names():
            known = plans(rows(other) for other in names())
            stream, events = story(known)
            write_history(name, stream, events, known)
            sys.stdout.write(f"history: {name}, {len(events)} events\n")
    for name in names():
        if not (HERE / f"{name}.state.json").exists():
            write_state(name, plans(rows(other) for other in names()))
            sys.stdout.write(f"state: {name}\n")


if __name__ == "__main__":
    main()
