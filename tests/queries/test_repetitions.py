"""The stream of an execution without its items and rounds: what a page reads of it does not grow with them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from domain.event import record
from domain.executions.decisions.child import end_child
from domain.executions.decisions.execution import start_execution
from domain.executions.decisions.step import complete_step, start_step
from domain.executions.events.execution import ExecutionCompleted, Trigger
from domain.executions.state.model import Execution
from domain.identity import new_id, process_id
from domain.language import load_definition
from domain.processes.plan import compile_plan
from projections.tables import create_read_tables
from queries import attempts, execution_costs, moments
from queries.attempts import TOPICS, fold_attempts, read_attempts
from queries.exchange import answer
from queries.moments import marks_of_stream, moment_of_position
from queries.paging import LARGEST
from store.datastore import Datastore
from tests.queries.shown import Shown, at

SAY = [{"id": "say", "type": "agent_task", "agent": "echo", "message": "go"}]
DEFINITION: dict[str, Any] = {
    "name": "p",
    "input": {"items": {"type": "array", "required": True}},
    "steps": [
        {
            "id": "each",
            "type": "sub_process",
            "for_each": {"items": "{{ input.items }}", "max_parallel": 3},
            "steps": SAY,
        },
        {"id": "again", "type": "sub_process", "repeat": {"until": "last.output.n == 9", "max": 9}, "steps": SAY},
        {"id": "beside", "type": "agent_task", "agent": "echo", "message": "hi"},
    ],
}
TYPES = ("ItemsListed", "RoundCompleted", "StepCompleted", "ExecutionCompleted")


@pytest.fixture
def shown(datastore: Datastore, read_tables: Datastore) -> Iterator[Shown]:
    with datastore.reading() as connection:
        create_read_tables(connection)
    made = Shown(datastore, DEFINITION)
    yield made
    made.close()


def play(shown: Shown, items: list[Any]) -> UUID:
    """Run an execution to its end, whose other step ends in the middle of the items."""
    plan = compile_plan(load_definition(DEFINITION), process_id("p"), 1)
    begun = start_execution(new_id(), plan, {"items": items}, Trigger(), at(1), callees=plan.bodies)
    execution = shown.decide(Execution(begun.execution.id, plan), begun)
    for n in range(len(items) + 9):
        child, entry = next(iter(execution.children.items()))
        ended = {"process_id": plan.process_id, "version": 1, "started_at": at(1).at, "body": entry.step}
        end = record(ExecutionCompleted, at(2 + n), outputs={"n": entry.round}, **ended)
        execution = shown.decide(execution, end_child(execution, child, end, at(2 + n)))
        if n == len(items) // 2:
            execution = shown.decide(execution, start_step(execution, "beside", 1, at(2 + n)))
            execution = shown.decide(execution, complete_step(execution, "beside", 1, "hi", at(2 + n)))
    assert execution.status == "completed"
    return execution.id


def scanned(node: dict[str, Any]) -> float:
    """How many events the scans of a plan meet."""
    met = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    own = met if node.get("Relation Name") == "stored_events" else 0
    return own + sum(scanned(child) for child in node.get("Plans", []))


def scans(datastore: Datastore, id: UUID) -> list[float]:
    given = {"id": id, "position": LARGEST, "topics": list(TOPICS), "types": list(TYPES)}
    given |= {"places": 10, "most": 100}
    queries = (attempts._ATTEMPTS, execution_costs._USES, moments._MARKS)
    with datastore.reading() as connection:
        connection.execute("set plan_cache_mode = force_generic_plan")
        rows = [
            connection.execute(f"explain (analyze, format json) {query}".encode(), given).fetchone()
            for query in queries
        ]
    return [scanned(row["QUERY PLAN"][0]["Plan"]) for row in rows if row is not None]


def test_what_is_read_does_not_grow_with_the_items(shown: Shown, datastore: Datastore) -> None:
    few, many = play(shown, list(range(10))), play(shown, [{"n": n, "text": "x" * 50} for n in range(100)])
    streams = [list(shown.log.stream(id)) for id in (few, many)]
    assert [len(stream) for stream in streams] == [46, 226]
    for id in (few, many):
        # Nine events of steps and of the execution, and the starts and the ends of the nine rounds, which have marks.
        assert all(0 < each < 40 for each in scans(datastore, id))


def test_items_and_rounds_are_passed_over_and_nothing_else(shown: Shown, datastore: Datastore) -> None:
    id = play(shown, [{"n": n, "text": "x" * 200} for n in range(30)])
    with datastore.reading() as connection:
        rows = connection.execute(
            "select topic, state from stored_events where originator_id = %s order by originator_version", (id,)
        ).fetchall()
        row = connection.execute("select items, rounds from execution_repetitions").fetchone()
        found = read_attempts(connection, id, LARGEST)
    whole = [(each["topic"], bytes(each["state"])) for each in rows]
    assert any(topic == "ItemsListed" and len(state) > 4096 for topic, state in whole)
    assert found == fold_attempts(whole)
    assert {step: len(each) for step, each in found.items()} == {"each": 1, "again": 1, "beside": 1}
    assert row is not None
    passed = {name: [n for part in row[name] for n in range(part.lower, part.upper)] for name in ("items", "rounds")}
    topics = {name: [whole[n - 1][0] for n in numbers] for name, numbers in passed.items()}
    assert [topics["items"].count(topic) for topic in ("ItemStarted", "ItemCompleted")] == [30, 30]
    assert [topics["rounds"].count(topic) for topic in ("SubProcessStarted", "RoundCompleted")] == [8, 9]
    assert [len(topics["items"]), len(topics["rounds"])] == [60, 17]


def test_an_execution_of_many_items_has_marks(shown: Shown) -> None:
    id = play(shown, list(range(30)))
    moment = answer(shown.reading, moment_of_position(id, shown.now(id).position))
    marks = answer(shown.reading, marks_of_stream(id, TYPES, moment.events))
    stream = [type(event).__name__ for event in shown.log.stream(id)]
    expected = [(n, name) for n, name in enumerate(stream, 1) if name in TYPES]
    assert [(mark.event, mark.type) for mark in marks] == expected
    assert len(expected) == 14
