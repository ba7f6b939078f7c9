"""The shape in which readers decode an event follows from its class."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from domain.agents.calls import StepError
from domain.catalogue import EVENTS
from domain.event import Event
from projections.facts import OF_EXECUTIONS, OF_STEPS
from projections.shapes import SHAPES, derive


class Part(msgspec.Struct, frozen=True):
    name: str
    document: dict[str, Any] = {}


class Happened(Event, frozen=True, kw_only=True):
    step: str
    output: Any
    error: StepError | None = None
    parts: list[Part] = []
    names: list[str] = []
    part: Part = Part("none")
    optional: Part | None = None


def test_documents_stay_the_text_they_are_and_all_else_is_decoded():
    state = b"""{"at":"2026-01-01T00:00:00Z","actor":"user:ann","step":"a","output":{ "b": [1,2.50] },
        "error":{"code":"x"},"parts":[{"name":"p"}],"names":["n"],"part":{"name":"q","document":{"k": 1}}}"""
    found = msgspec.json.decode(state, type=derive(Happened))
    assert (found.at, found.step, found.names, found.optional) == (datetime(2026, 1, 1, tzinfo=UTC), "a", ["n"], None)
    texts = [bytes(each) for each in (found.output, found.error, found.parts, found.part.document)]
    assert texts == [b'{ "b": [1,2.50] }', b'{"code":"x"}', b'[{"name":"p"}]', b'{"k": 1}']
    assert found.part.name == "q"


def test_fields_that_were_left_out_mean_what_they_mean_to_the_event():
    found = msgspec.json.decode(b'{"at":"2026-01-01T00:00:00Z","step":"a","output":1}', type=derive(Happened))
    assert (found.names, found.part.name, bytes(found.part.document)) == ([], "none", b"{}")
    assert (bytes(found.error), bytes(found.parts), found.optional) == (b"null", b"[]", None)


@pytest.mark.parametrize("name", EVENTS)
def test_only_the_cause_of_an_event_is_left_out(name: str) -> None:
    missing = set(EVENTS[name].__struct_fields__) - set(SHAPES[name].__struct_fields__)
    assert missing <= {"actor", "causation", "correlation"}


def test_every_event_of_a_step_is_one_of_an_execution():
    assert OF_STEPS < OF_EXECUTIONS < set(EVENTS)
    assert {"StepScheduled", "ApprovalGranted", "CompensationStarted"} <= OF_STEPS
    assert not OF_STEPS & {"ExecutionStarted", "ExecutionFailed"}
