"""Acts that operators request about read models: a projector carries them out, and goes on after an interruption."""

import threading
import time
from datetime import UTC, datetime

import msgspec
import pytest

from app.clock import SYSTEM_CLOCK
from commands.read_models import (
    NoRequestOpen,
    NoTables,
    ReadModelCommands,
    ReadModelNotFound,
    RequestAct,
    RequestOpen,
    WithdrawAct,
)
from domain.event import Cause
from projections import ALL
from projections.locks import REQUEST_LOCK, try_lock, unlock
from projections.running import Runner
from projections.tables import create_read_tables
from projections.verifying import verify
from queries.progress import ExecutionProgress
from queries.read_models import NotCompared, get_comparison, get_read_model
from queries.reading import Reading
from scheduler.projector import Projector
from scheduler.requested import BuildInterrupted, RequestedActs
from store import read_model_requests as requests
from store.log import Log
from store.reading import connect

LIMIT_SECONDS = 120.0
NAME = "execution_list"
EVENTS = 500
PAGES = 30_000  # of a log that a build reads in two pages
MANY = """insert into stored_events (originator_id, originator_version, topic, state)
select gen_random_uuid(), 1, 'StepSkipped',
  '{"at":"2026-01-01T00:00:00Z","actor":"x","step":"a","reason":"condition_false"}' from generate_series(1, %s)"""


@pytest.fixture
def log(datastore):
    with datastore.reading() as connection:
        create_read_tables(connection)
    fill(datastore, EVENTS)
    made = Log(datastore)
    yield made
    made.close()


@pytest.fixture
def long_log(log, datastore):
    fill(datastore, PAGES)


def fill(datastore, events):
    """Add events, and bring the read models up to them."""
    with datastore.reading() as connection:
        connection.execute(MANY, (events,))
    runner = Runner(datastore)
    runner.refresh()
    while runner.advance():
        pass
    runner.close()


@pytest.fixture
def commands(log):
    return ReadModelCommands(log)


@pytest.fixture
def reading(datastore):
    shapes = {projection.name: projection.digest for projection in ALL}
    return Reading(datastore, ExecutionProgress(datastore, shapes=shapes))


@pytest.fixture
def projector(datastore):
    made = Projector(datastore, SYSTEM_CLOCK)
    made.start()
    yield made
    made.stop()


def cause():
    return Cause(datetime.now(UTC), "user:ann")


def until(condition):
    """Wait on a fact, with a deadline."""
    deadline, pause = time.monotonic() + LIMIT_SECONDS, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.05)


def request(commands, act, name=NAME):
    return commands.request(RequestAct(name, act, "to see"), cause())


def settled(reading, name=NAME):
    """Return the last request once it has ended."""
    until(lambda: not get_read_model(reading, name).request.open)
    return get_read_model(reading, name).request


def acts(datastore, progress=lambda _done, _total: None):
    """Return what a projector would do, for one turn at a time."""
    return RequestedActs(datastore, SYSTEM_CLOCK, ALL, progress)


def filenode(datastore):
    with datastore.reading() as connection:
        return connection.execute(f"select pg_relation_filenode('public.{NAME}') as node").fetchone()["node"]


def test_a_projector_builds_compares_switches_over_and_goes_back(commands, reading, datastore, projector):
    first = filenode(datastore)
    request(commands, "build")
    assert settled(reading).state == "done"
    request(commands, "compare")
    assert settled(reading).state == "done"
    compared = get_comparison(reading, NAME)
    assert {each.table: each.differing for each in compared.tables}[NAME] == 0
    request(commands, "promote")
    assert settled(reading).state == "done"
    second = filenode(datastore)
    assert second != first
    with pytest.raises(NotCompared):
        get_comparison(reading, NAME)
    request(commands, "rollback")
    assert settled(reading).state == "done"
    assert filenode(datastore) == first
    request(commands, "drop")
    assert settled(reading).state == "done"
    assert get_read_model(reading, NAME).tables_aside == []
    assert verify(datastore, ALL[0], lambda _done, _total: None).differing == 0


def test_a_projector_verifies_and_changes_nothing(commands, reading, datastore, projector):
    before = filenode(datastore)
    request(commands, "verify")
    found = settled(reading)
    figures = msgspec.json.decode(bytes(found.result))
    assert (found.state, figures["differing"], figures["parked"], figures["rows"] > 0) == ("done", 0, 0, True)
    with datastore.reading() as connection:
        one = f"(select execution_id from {NAME} limit 1)"
        connection.execute(f"update {NAME} set steps = coalesce(steps, 0) + 1 where execution_id = {one}")
    request(commands, "verify")
    assert msgspec.json.decode(bytes(settled(reading).result)) == figures | {"differing": 1}
    assert filenode(datastore) == before


def test_a_projector_rebuilds_and_says_how_much(commands, reading, datastore, projector):
    before = filenode(datastore)
    request(commands, "rebuild")
    found = settled(reading)
    assert (found.state, found.actor, found.reason) == ("done", "user:ann", "to see")
    assert msgspec.json.decode(bytes(found.result))["events"] == EVENTS
    assert filenode(datastore) != before
    assert get_read_model(reading, NAME).tables_aside == []


def test_what_cannot_be_done_is_refused_at_once(commands):
    for act in ("compare", "promote", "rollback"):
        with pytest.raises(NoTables):
            request(commands, act)
    with pytest.raises(ReadModelNotFound):
        request(commands, "rebuild", "nothing")
    with pytest.raises(NoRequestOpen):
        commands.withdraw(WithdrawAct(NAME, "x"), cause())


def test_one_act_of_a_read_model_is_open_at_a_time(commands, reading):
    first = request(commands, "rebuild")
    again = request(commands, "rebuild")
    assert (again.duplicate, again.facts["request_id"]) == (True, first.facts["request_id"])
    with pytest.raises(RequestOpen):
        request(commands, "build")
    assert all(each.obstacle for each in get_read_model(reading, NAME).acts)
    commands.withdraw(WithdrawAct(NAME, "changed my mind"), cause())
    found = get_read_model(reading, NAME).request
    assert (found.state, found.failure) == ("withdrawn", "user:ann: changed my mind")
    assert request(commands, "build").duplicate is False


def test_a_withdrawn_build_ends_after_its_page(commands, reading, datastore, long_log):
    request(commands, "rebuild")
    before = filenode(datastore)

    def withdraw(_done, _total):
        commands.withdraw(WithdrawAct(NAME, "enough"), cause())

    class Hasty:
        """A clock on which every page takes a minute."""

        def __init__(self):
            self._now = 0.0

        def now(self):
            return datetime.now(UTC)

        def monotonic(self):
            self._now += 60.0
            return self._now

    withdrawn = []

    def once(done, total):
        if not withdrawn:
            withdrawn.append(done)
            withdraw(done, total)

    RequestedActs(datastore, Hasty(), ALL, once).work()
    assert 0 < withdrawn[0] < PAGES
    assert get_read_model(reading, NAME).request.state == "withdrawn"
    assert filenode(datastore) == before


def test_an_interrupted_rebuild_continues_where_it_stood(commands, reading, datastore, long_log):
    request(commands, "rebuild")

    def interrupt(_done, _total):
        raise BuildInterrupted

    with pytest.raises(BuildInterrupted):
        acts(datastore, interrupt).work()
    stood = get_read_model(reading, NAME)
    assert stood.request.state == "running"
    assert 0 < stood.tables_aside[0].position < PAGES
    seen = []
    acts(datastore, lambda done, _total: seen.append(done)).work()
    assert get_read_model(reading, NAME).request.state == "done"
    assert all(done > stood.tables_aside[0].position for done in seen)


def test_a_build_of_an_earlier_request_is_not_continued(commands, reading, datastore, long_log):
    request(commands, "build")

    def interrupt(_done, _total):
        raise BuildInterrupted

    with pytest.raises(BuildInterrupted):
        acts(datastore, interrupt).work()
    stood = get_read_model(reading, NAME).tables_aside[0].position
    commands.withdraw(WithdrawAct(NAME, "anew"), cause())
    request(commands, "build")
    with datastore.reading() as connection:
        requests.begin(connection, requests.find(connection, NAME).request_id)
    seen = []
    acts(datastore, lambda done, _total: seen.append(done)).work()
    assert get_read_model(reading, NAME).request.state == "done"
    assert min(seen) <= stood


def test_a_switch_is_not_done_twice_after_a_process_died_behind_it(commands, reading, datastore):
    request(commands, "build")
    acts(datastore).work()
    request(commands, "promote")
    with datastore.reading() as connection:
        id = requests.find(connection, NAME).request_id
    acts(datastore).work()
    switched = filenode(datastore)
    with datastore.reading() as connection:
        connection.execute(
            "update read_model_requests set state = 'running', act = 'rollback', ended_at = null where request_id = %s",
            (id,),
        )
    acts(datastore).work()
    assert get_read_model(reading, NAME).request.state == "done"
    assert filenode(datastore) == switched


def test_one_process_at_a_time_carries_out_requests(commands, reading, datastore):
    request(commands, "rebuild")
    with connect(datastore) as other:
        assert try_lock(other, REQUEST_LOCK, "requests")
        acts(datastore).work()
        assert get_read_model(reading, NAME).request.state == "requested"
        unlock(other, REQUEST_LOCK, "requests")
    acts(datastore).work()
    assert get_read_model(reading, NAME).request.state == "done"


def test_a_failure_is_stated_and_ends_the_request(commands, reading, datastore):
    request(commands, "build")
    acts(datastore).work()
    request(commands, "promote")
    with datastore.reading() as connection:
        connection.execute("update read_table_builds set digest = 'of another release'")
    acts(datastore).work()
    found = get_read_model(reading, NAME).request
    assert (found.state, "another release" in found.failure) == ("failed", True)
