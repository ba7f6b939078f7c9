"""What was stored once can be read for ever: shapes only grow, and golden histories add up to what they always did."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app.event_shapes import Field, Shape
from domain.agents.events import AgentRegistered
from domain.agents.kinds import read_agent
from domain.catalogue import EVENTS
from tests.histories import record
from tests.histories.record import Recorded
from tests.histories.stories import STORIES

HOW = "run: python -m tests.histories.record"


def test_no_stored_field_was_removed_renamed_retyped_or_given_another_meaning() -> None:
    assert broken_promises(record.recorded_shapes(), record.shapes_now()) == []


def test_every_shape_is_recorded() -> None:
    assert unrecorded(record.recorded_shapes(), record.shapes_now()) == [], HOW


@pytest.mark.parametrize("name", record.names())
def test_a_golden_history_adds_up_to_what_it_did_when_it_was_recorded(name: str) -> None:
    rows = record.rows(name)
    assert [row.version for row in rows] == list(range(1, len(rows) + 1))
    known = record.plans(record.rows(other) for other in record.names())
    state = record.state_of(rows[0].stream, [row.event() for row in rows], known)
    assert_holds(record.recorded_state(name), state)


@pytest.mark.parametrize("name", STORIES)
def test_a_story_gives_the_history_that_was_recorded_from_it(name: str) -> None:
    known = record.plans(record.rows(other) for other in record.names())
    assert record.stored(*STORIES[name](known)) == record.rows(name), "delete the story, keep its history"


def test_golden_histories_are_listed_with_their_content() -> None:
    listed = re.findall(r"^\| `(.+?)` \|", (record.HERE / "README.md").read_text(), re.MULTILINE)
    assert listed == record.names()


def test_golden_histories_show_every_field_with_something_in_it() -> None:
    events = [row.event() for name in record.names() for row in record.rows(name)]
    seen = {shown for event in events for shown in shown_fields(event)}
    now = record.shapes_now()
    wanted = {(name, field) for shapes in now.values() for name, shape in shapes.items() for field in shape.fields}
    assert wanted - seen == set(), f"tell a story with it in tests/histories/, then {HOW}"


def test_configurations_in_golden_histories_can_still_be_called() -> None:
    events = [row.event() for row in record.rows("agent")]
    configs = [event.config for event in events if isinstance(event, AgentRegistered)]
    assert [read_agent(config).kind for config in configs] == ["scripted", "http"]


def test_stored_names_are_the_names_of_their_classes() -> None:
    """A literal may differ from its class once a class is renamed; until then a difference is a slip."""
    assert {name: kind.__name__ for name, kind in EVENTS.items()} == {name: name for name in EVENTS}


WAS = {"events": {"StepDone": Shape({"step": Field("text"), "note": Field("text", "")})}, "parts": {}}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"step": Field("text"), "note": Field("text", "")}, []),
        ({"step": Field("text"), "note": Field("text", ""), "by": Field("text", "nobody")}, []),
        ({"step": Field("text", "none"), "note": Field("text", "")}, []),
        ({"note": Field("text", "")}, ["StepDone.step: removed or renamed"]),
        ({"step": Field("uuid"), "note": Field("text", "")}, ["StepDone.step: was text, is uuid"]),
        ({"step": Field("text"), "note": Field("text")}, ["StepDone.note: left out it meant '', now it means"]),
        ({"step": Field("text"), "note": Field("text", "-")}, ["StepDone.note: left out it meant '', now it means"]),
        (
            {"step": Field("text"), "note": Field("text", ""), "by": Field("text")},
            ["StepDone.by: is new and has no default"],
        ),
        (None, ["StepDone.*: removed or renamed"]),
    ],
)
def test_a_change_that_stored_events_do_not_survive_is_told(fields: dict[str, Field] | None, told: list[str]) -> None:
    now = {"events": {} if fields is None else {"StepDone": Shape(fields)}, "parts": {}}
    problems = broken_promises(WAS, now)
    assert len(problems) == len(told)
    assert all(problem.startswith(start) for problem, start in zip(problems, told, strict=True))
    assert broken_promises(record.grown(WAS, now), now) == problems, "recording it hides nothing"


def broken_promises(recorded: Recorded, now: Recorded) -> list[str]:
    """Why this release could not read, or would misread, what was stored in shapes recorded earlier."""
    return [
        f"{name}.{problem}"
        for group, shapes in recorded.items()
        for name, shape in shapes.items()
        for problem in _broken(shape, now[group].get(name))
    ]


def unrecorded(recorded: Recorded, now: Recorded) -> list[str]:
    """Events, parts and fields that are not recorded yet."""
    return [
        f"{name}.{field}"
        for group, shapes in now.items()
        for name, shape in shapes.items()
        for field in shape.fields
        if name not in recorded[group] or field not in recorded[group][name].fields
    ]


def _broken(was: Shape, now: Shape | None) -> Iterator[str]:
    if now is None:
        yield "*: removed or renamed"
        return
    for name, field in was.fields.items():
        present = now.fields.get(name)
        if present is None:
            yield f"{name}: removed or renamed"
        elif present.type != field.type:
            yield f"{name}: was {field.type}, is {present.type}"
        elif not field.required and present != field:
            yield f"{name}: left out it meant {field.default!r}, now it means something else"
    for name, field in now.fields.items():
        if name not in was.fields and field.required:
            yield f"{name}: is new and has no default, so stored events lack it"


def assert_holds(recorded: Any, now: Any, path: str = "state") -> None:
    """Everything recorded is there and the same; a later release may know more."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key, value in recorded.items():
            assert key in now, f"{path}.{key} is gone"
            assert_holds(value, now[key], f"{path}.{key}")
    else:
        assert now == recorded, path


def shown_fields(value: Any) -> list[tuple[str, str]]:
    """(name of event or part, field) of everything in `value` that is not its default."""
    if isinstance(value, list | tuple):
        return [shown for item in value for shown in shown_fields(item)]
    if isinstance(value, dict):
        return shown_fields(list(value.values()))
    if not isinstance(value, msgspec.Struct):
        return []
    found: list[tuple[str, str]] = []
    for field in msgspec.structs.fields(type(value)):
        held = getattr(value, field.name)
        # Where the default is made anew each time, as a list is, it is empty.
        if field.required or (held if field.default is msgspec.NODEFAULT else held != field.default):
            found.append((type(value).__name__, field.encode_name))
        found += shown_fields(held)
    return found
