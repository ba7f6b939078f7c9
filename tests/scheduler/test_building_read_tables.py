"""Projectors of this release on read tables of the release before: they build their own, beside, and switch."""

import subprocess
import sys
from uuid import uuid4

import pytest

from projections import ALL
from projections.execution_list import ExecutionList
from projections.rebuilding import build_if_stale
from projections.tables import create_read_tables, stale_names
from projections.verifying import verify
from queries.progress import ExecutionProgress
from queries.projections import list_projections
from queries.reading import Reading
from store.log import Log
from tests.projections.releases import position, rows
from tests.scheduler.conftest import append
from tests.waiting import until

LIMIT_SECONDS = 60.0
SHAPES = {projection.name: projection.digest for projection in ALL}
EVENTS = 30_000  # two pages of a build
MANY = """insert into stored_events (originator_id, originator_version, topic, state)
select gen_random_uuid(), 1, 'StepSkipped',
  '{"at":"2026-01-01T00:00:00Z","actor":"x","step":"a","reason":"condition_false"}' from generate_series(1, %s)"""


class Before(ExecutionList):
    """As the release before defines it."""

    ddl = ExecutionList.ddl + "alter table execution_list add column before text;"


class Undefined(type(ALL[1])):
    """Its tables cannot be made, for a reason that is none of a build."""

    ddl = ALL[1].ddl + "select 1 / 0;"


BEFORE = (Before(), *ALL[1:])

# Builds page by page until the test lets go of it: by kill -9.
BUILDING = """
import sys
from projections import ALL
from projections.rebuilding import build_and_switch
from store.datastore import Datastore

def progress(done, total):
    print(done, total, flush=True)
    sys.stdin.read()

build_and_switch(Datastore(sys.argv[1]), ALL[0], progress)
"""


def is_ready(datastore):
    with datastore.reading() as connection:
        return stale_names(connection) == []


@pytest.fixture
def log(datastore):
    with datastore.reading() as connection:
        create_read_tables(connection, BEFORE)
    opened = Log(datastore)
    yield opened
    opened.close()


def test_a_projector_builds_its_tables_beside_those_of_the_release_before_which_serves_meanwhile(
    datastore, log, projector
):
    first = append(log)
    old = projector(BEFORE)
    until(lambda: position(datastore) == first)
    projector(ALL)
    until(lambda: is_ready(datastore))
    last = append(log)
    until(lambda: position(datastore) == last)
    assert verify(datastore, ALL[0], lambda _done, _total: None).differing == 0
    assert "before" not in rows(datastore, "select * from execution_list limit 1")[0]
    kept = rows(datastore, "select before, last_position from previous.execution_list")
    assert [row["last_position"] for row in kept] == [first]

    # The release before does not build its own shape again: it gave way to this one.
    until(lambda: {state.projection.name for state in old.states if state.state == "standby"} == {"execution_list"})
    replaced = rows(datastore, "select digest from replaced_read_tables")
    assert replaced == [{"digest": Before().digest}]
    # Nor does it where it found its shape stale in the middle of the switch.
    assert build_if_stale(datastore, Before(), lambda _done, _total: None) is None
    assert rows(datastore, "select last_position from previous.execution_list") != []


def test_a_build_that_was_killed_goes_on_where_it_was(datastore, log, projector, dsn):
    with datastore.reading() as connection:
        connection.execute(MANY, (EVENTS,))
    killed = subprocess.Popen(
        [sys.executable, "-c", BUILDING, dsn], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    done, total = map(int, killed.stdout.readline().split())
    assert 0 < done < total == EVENTS

    reading = Reading(datastore, ExecutionProgress(datastore, shapes=SHAPES))
    shown = {item.name: item for item in list_projections(reading).items}["execution_list"]
    assert (shown.state, shown.ready) == ("rebuilding", False)
    assert (shown.building.position, shown.building.target) == (done, EVENTS)
    assert 0 < shown.building.percent < 100
    building = projector(ALL)
    until(lambda: len(states_of(building, "running")) == len(ALL) - 1)
    assert not is_ready(datastore), "one process builds at a time"

    killed.kill()
    killed.wait()
    killed.stdin.close()
    killed.stdout.close()
    until(lambda: is_ready(datastore))
    until(lambda: position(datastore) == EVENTS)
    assert verify(datastore, ALL[0], lambda _done, _total: None).differing == 0
    shown = {item.name: item for item in list_projections(reading).items}["execution_list"]
    assert (shown.ready, shown.building) == (True, None)


def states_of(projector, wanted):
    return [state for state in projector.states if state.state == wanted]


def test_a_build_stands_still_before_an_event_of_a_newer_release_and_says_so(datastore, log, projector):
    append(log)
    with datastore.reading() as connection:
        connection.execute(
            "insert into stored_events (originator_id, originator_version, topic, state) values (%s, 1, %s, '{}')",
            (uuid4(), "ComesLater"),
        )
    reading = Reading(datastore, ExecutionProgress(datastore, shapes=SHAPES))
    projector(ALL)

    def shown():
        return {item.name: item for item in list_projections(reading).items}["execution_list"]

    until(lambda: shown().state == "failed" and "ComesLater" in (shown().last_error or ""))
    assert shown().last_error.startswith("execution_list stands still before position 2: ")
    assert not is_ready(datastore)
    assert rows(datastore, "select from dead_letters") == []


def test_a_shape_that_gave_way_is_not_built_by_itself(datastore, log, projector):
    append(log)
    with datastore.reading() as connection:
        connection.execute(
            "insert into replaced_read_tables (projection, digest) values ('execution_list', %s)", (ALL[0].digest,)
        )
    projector(ALL)
    until(lambda: {position(datastore, projection.name) for projection in ALL[1:]} == {1})
    reading = Reading(datastore, ExecutionProgress(datastore, shapes=SHAPES))
    shown = {item.name: item for item in list_projections(reading).items}["execution_list"]
    assert (shown.state, shown.building) == ("failed", None)
    assert "procession projections rebuild execution_list" in shown.last_error


def test_a_read_model_whose_tables_cannot_be_made_keeps_no_other_from_being_built(datastore, log, projector):
    projections = (Undefined(), ALL[0], *ALL[2:])

    def stale():
        with datastore.reading() as connection:
            return stale_names(connection, projections)

    assert stale() == [Undefined.name, ALL[0].name]
    projector(projections)
    until(lambda: stale() == [Undefined.name])
