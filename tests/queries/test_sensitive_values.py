"""Where sensitive values are looked for: only in trees that can hold one, and from a version's publication on."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.event import record
from domain.executions.events.child import Parent, SubProcessStarted
from domain.executions.events.execution import ExecutionStarted, Trigger
from domain.identity import process_id
from domain.processes.events import ProcessDrafted, ProcessPublished
from queries import sensitive
from queries.sensitive import SensitiveValues
from store.datastore import Datastore
from tests.queries.shown import Shown, at

TOP, MIDDLE, LEAF, OTHER = (UUID(int=number) for number in range(1, 5))
SECRET = "078-05-1120"


def definition(
    name: str, *, marks: bool = False, calls: str | None = None, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A process with one step, which calls another process or an agent, or holds a body."""
    step: dict[str, Any] = {"id": "only", "agent": "writer", "message": "x", "type": "agent_task"}
    if calls is not None:
        step = {"id": "only", "type": "sub_process", "process": calls}
    if body is not None:
        inner = definition(name, **body)
        step = {"id": "only", "type": "sub_process", "input": inner["input"], "steps": inner["steps"]}
    return {"name": name, "input": {"ssn": {"type": "string", "sensitive": marks}}, "steps": [step]}


def publish(shown: Shown, name: str, version: int = 1, **parts: Any) -> None:
    """Publish a version."""
    published = record(
        ProcessPublished, at(0), name=name, version=version, source=name, definition=definition(name, **parts)
    )
    drafted = [record(ProcessDrafted, at(0), name=name, source=name)] if version == 1 else []
    shown.append(process_id(name), version if version > 1 else 0, [*drafted, published])


def begin(
    shown: Shown, id: UUID, process: str, *, version: int = 1, calls: list[tuple[UUID, str]] = (), **more: Any
) -> None:  # type: ignore[assignment]
    """Start an execution, which calls others."""
    started = record(
        ExecutionStarted,
        at(1),
        process_id=process_id(process),
        process=process,
        version=version,
        input={"ssn": SECRET},
        steps=1,
        trigger=Trigger(),
        **more,
    )
    called = [
        record(
            SubProcessStarted,
            at(1),
            step="only",
            attempt=number,
            child=child,
            process_id=process_id(name),
            process=name,
            version=1,
            input={"ssn": SECRET},
            root=TOP,
            depth=1,
            path=[],
        )
        for number, (child, name) in enumerate(calls, 1)
    ]
    shown.append(id, 0, [started, *called])


def below(parent: UUID) -> Parent:
    return Parent(execution_id=parent, step="only", attempt=1, root=TOP, depth=1, path=[])


@pytest.fixture
def shown(read_tables: Datastore) -> Iterator[Shown]:
    made = Shown(read_tables)
    yield made
    made.close()


@pytest.fixture
def values(shown: Shown) -> SensitiveValues:
    return SensitiveValues(shown.reading)


def masked(values: SensitiveValues, *ids: UUID) -> dict[UUID, Any]:
    """What becomes of a text with the secret, in the view of each execution that has sensitive values."""
    return {id: found.secrets.masked(f"{SECRET} and more") for id, found in values.of(ids).items()}


def test_a_version_counts_from_its_publication_on(shown: Shown, values: SensitiveValues) -> None:
    publish(shown, "first")
    begin(shown, TOP, "first")
    assert masked(values, TOP) == {}
    publish(shown, "first", 2, marks=True)
    begin(shown, OTHER, "first", version=2)
    assert masked(values, TOP, OTHER) == {OTHER: "••• and more"}
    assert values.of([OTHER])[OTHER].fields.input == (("ssn",),)


def test_what_a_descendant_marks_is_masked_in_the_whole_tree(shown: Shown, values: SensitiveValues) -> None:
    publish(shown, "leaf", marks=True)
    publish(shown, "middle", calls="leaf")
    publish(shown, "top", calls="middle")
    begin(shown, TOP, "top", calls=[(MIDDLE, "middle")])
    assert masked(values, TOP) == {}
    begin(shown, MIDDLE, "middle", calls=[(LEAF, "leaf")], parent=below(TOP))
    begin(shown, LEAF, "leaf", parent=below(MIDDLE))
    assert masked(values, TOP, MIDDLE, LEAF) == dict.fromkeys((TOP, MIDDLE, LEAF), "••• and more")


def test_a_callee_that_marks_a_field_later_makes_its_callers_lead_to_it(shown: Shown, values: SensitiveValues) -> None:
    publish(shown, "elsewhere", marks=True)
    publish(shown, "leaf")
    publish(shown, "top", calls="leaf")
    begin(shown, TOP, "top", calls=[(LEAF, "leaf")])
    assert masked(values, TOP) == {}
    publish(shown, "leaf", 2, marks=True)
    begin(shown, LEAF, "leaf", version=2, parent=below(TOP))
    assert masked(values, TOP, LEAF) == dict.fromkeys((TOP, LEAF), "••• and more")


def test_the_input_of_a_call_is_sensitive_before_the_child_begins(shown: Shown, values: SensitiveValues) -> None:
    publish(shown, "leaf", marks=True)
    publish(shown, "top", calls="leaf")
    begin(shown, TOP, "top", calls=[(LEAF, "leaf")])
    assert masked(values, TOP) == {TOP: "••• and more"}


def test_what_a_body_marks_is_masked_in_the_whole_tree(shown: Shown, values: SensitiveValues) -> None:
    publish(shown, "top", body={"marks": True})
    begin(shown, TOP, "top", calls=[(LEAF, "top")])
    assert masked(values, TOP) == {TOP: f"{SECRET} and more"}
    begin(shown, LEAF, "top", parent=below(TOP), body="only")
    assert masked(values, TOP, LEAF) == dict.fromkeys((TOP, LEAF), "••• and more")
    fields = {id: found.fields.input for id, found in values.of([TOP, LEAF]).items()}
    assert fields == {TOP: (), LEAF: (("ssn",),)}


def test_a_process_that_is_called_inside_a_body_leads_to_what_it_marks(shown: Shown, values: SensitiveValues) -> None:
    publish(shown, "leaf", marks=True)
    publish(shown, "top", body={"calls": "leaf"})
    begin(shown, TOP, "top", calls=[(LEAF, "leaf")])
    assert masked(values, TOP) == {TOP: "••• and more"}


def test_only_what_leads_to_a_sensitive_field_is_walked(
    shown: Shown, values: SensitiveValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensitive, "MAX_EXECUTIONS", 2)
    publish(shown, "leaf", marks=True)
    publish(shown, "plain")
    publish(shown, "many", calls="plain")
    publish(shown, "top", calls="leaf")
    plain = [UUID(int=number) for number in range(100, 110)]
    begin(shown, OTHER, "many", calls=[(id, "plain") for id in plain])
    begin(shown, TOP, "top", calls=[(LEAF, "leaf"), *((id, "plain") for id in plain)])
    begin(shown, LEAF, "leaf", parent=below(TOP))
    for id in plain:
        begin(shown, id, "plain", parent=below(TOP))
    assert masked(values, OTHER) == {}
    assert masked(values, TOP, plain[0]) == dict.fromkeys((TOP, plain[0]), "••• and more")


def test_what_the_log_does_not_hold_is_masked_whole(shown: Shown, values: SensitiveValues) -> None:
    publish(shown, "first", marks=True)
    assert masked(values, OTHER) == {OTHER: "•••"}
    assert masked(values, process_id("first")) == {}


def test_after_the_log_was_replaced_its_publications_are_read_anew(
    shown: Shown, values: SensitiveValues, read_tables: Datastore
) -> None:
    publish(shown, "first")
    publish(shown, "second")
    begin(shown, TOP, "second")
    assert masked(values, TOP) == {}
    with psycopg.connect(read_tables.dsn, autocommit=True) as connection:
        connection.execute("truncate stored_events")
    publish(shown, "first", marks=True)
    begin(shown, TOP, "first")
    publish(shown, "second")
    assert masked(values, TOP) == {TOP: "••• and more"}
