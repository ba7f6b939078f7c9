"""Processes and agents with long streams: what is read again are the events since, and all where the log has others."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from commands.agents import CachedAgents
from commands.plans import Plans
from domain.agents.events import AgentRegistered
from domain.event import record
from domain.identity import agent_id, process_id
from domain.processes.events import ProcessDrafted, ProcessPaused, ProcessPublished, ProcessResumed, ProcessRevised
from domain.refusal import NotFound
from store.datastore import Datastore
from store.log import Log
from store.unit import Unit
from tests.clocks import TurnedClock
from tests.commands.scenario import ANN

ID = process_id("long")
DEFINITION = {"name": "long", "steps": [{"id": "a", "type": "agent_task", "agent": "w", "message": "x"}]}
EVENTS = [
    record(ProcessDrafted, ANN, name="long", source="1"),
    record(ProcessPublished, ANN, name="long", version=1, source="1", definition=DEFINITION),
    record(ProcessRevised, ANN, name="long", source="2"),
    record(ProcessPaused, ANN, name="long", mode="queue", reason="x"),
    record(ProcessResumed, ANN, name="long", reason="x"),
    record(ProcessPublished, ANN, name="long", version=2, source="2", definition=DEFINITION),
]


@pytest.fixture
def log(datastore: Datastore) -> Any:
    opened = Log(datastore)
    yield opened
    opened.close()


def change(log: Log, statement: str, stream: UUID, version: int) -> None:
    with log.datastore.reading() as connection:
        connection.execute(f"{statement} where originator_id = %s and originator_version = %s", (stream, version))


def make_unreadable(log: Log, stream: UUID, version: int) -> None:
    change(log, "update stored_events set state = '[]'", stream, version)


def test_a_process_that_is_read_again_is_as_one_read_whole(log: Log) -> None:
    plans = Plans(log)
    for version, event in enumerate(EVENTS):
        log.append(Unit(ID, version, [event]))
        assert plans.latest(ID, fresh=True) == Plans(log).latest(ID)
    plans.forget([ID])
    assert plans.latest(ID) == Plans(log).latest(ID)


def test_a_process_is_read_again_by_what_is_new_alone(log: Log) -> None:
    plans = Plans(log)
    log.append(Unit(ID, 0, EVENTS[:3]))
    plans.latest(ID)
    make_unreadable(log, ID, 1)
    log.append(Unit(ID, 3, EVENTS[3:4]))
    assert plans.starting(ID, None).pause is None
    plans.forget([ID])
    for _ in range(2):
        pause = plans.starting(ID, None).pause
        assert pause is not None
        assert pause.mode == "queue"


def test_a_process_of_which_the_log_lost_events_is_read_whole(log: Log) -> None:
    plans = Plans(log)
    log.append(Unit(ID, 0, EVENTS[:3]))
    plans.latest(ID)
    change(log, "delete from stored_events", ID, 3)
    assert plans.latest(ID, fresh=True).revision == 2
    log.append(Unit(ID, 2, EVENTS[3:4]))
    assert plans.latest(ID, fresh=True) == Plans(log).latest(ID)
    for version in (3, 2, 1):
        change(log, "delete from stored_events", ID, version)
    with pytest.raises(NotFound):
        plans.latest(ID, fresh=True)


def test_an_agent_is_read_again_by_what_is_new_alone(log: Log) -> None:
    clock = TurnedClock(datetime(2026, 1, 1, tzinfo=UTC))
    agents, id = CachedAgents(log, clock), agent_id("w")

    def registered(n: int) -> AgentRegistered:
        return record(AgentRegistered, ANN, name="w", kind="scripted", config={"kind": "scripted", "n": n})

    def number() -> object:
        clock.time += timedelta(seconds=2)
        found = agents.config("w")
        return None if found is None else found["n"]

    log.append(Unit(id, 0, [registered(1), registered(2)]))
    assert number() == 2
    make_unreadable(log, id, 1)
    log.append(Unit(id, 2, [registered(3)]))
    assert number() == 3
    assert number() == 3
    # when the log has lost its end, then it is read whole again
    change(log, "update stored_events set state = convert_to('{}', 'utf8')", id, 1)
    change(log, "delete from stored_events", id, 3)
    change(log, "delete from stored_events", id, 2)
    change(log, "delete from stored_events", id, 1)
    log.append(Unit(id, 0, [registered(7)]))
    assert number() == 7
