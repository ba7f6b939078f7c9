"""Switches: to tables built beside those in use and back, whatever the shape, whoever runs the projection meanwhile."""

from uuid import UUID, uuid4

import pytest

from projections import ALL
from projections.differing import diff
from projections.locks import REBUILD_LOCK, RUNNER_LOCK
from projections.rebuilding import build, build_and_switch, promote, rebuild, rollback
from projections.running import RUNNING, STALE, STANDBY, Runner
from projections.switching import HandOverRefused
from projections.tables import SWITCHING, create_read_tables
from projections.verifying import verify
from store.session import SETTINGS
from store.unit import Unit
from tests.projections.releases import (
    LIST,
    Before,
    X,
    columns,
    drain,
    position,
    project,
    quiet,
    rows,
    skips,
)

QUERY = "select execution_id, status, last_position from {}.execution_list order by 1"


def shape(datastore):
    [row] = rows(datastore, "select digest from projections where name = 'execution_list'")
    return row["digest"]


def state_of(runner):
    [state] = runner.states
    return state.state


@pytest.fixture
def runner_of(datastore):
    opened = []

    def open_runner(projection):
        opened.append(Runner(datastore, [projection]))
        return opened[-1]

    yield open_runner
    for one in opened:
        one.close()


@pytest.fixture
def before(datastore, append_to, story):
    """A database with read tables of the release before, in which X has started and everything is projected."""
    with datastore.reading() as connection:
        create_read_tables(connection, [Before(), *ALL[1:]])
    append_to(story.start(X).schedule(X).happened)
    project(datastore, [Before()])
    return datastore


@pytest.fixture
def append_to(log):
    """As append, whatever the read tables."""

    def record(happened):
        versions = {}
        for stream, event in happened:
            version = versions.setdefault(stream, len(log.stream(stream)))
            log.append(Unit(stream, version, [event]))
            versions[stream] = version + 1
        return log.last_position()

    return record


def test_tables_of_this_release_are_built_beside_those_in_use_and_take_their_place_at_their_position(before):
    build(before, LIST, quiet)
    assert "before" in columns(before, "public")
    assert "before" not in columns(before, "building")
    assert shape(before) == Before().digest
    switched = promote(before, LIST, quiet)
    assert (switched.position, switched.other_shape) == (2, False)
    assert "before" not in columns(before, "public")
    assert (shape(before), position(before)) == (LIST.digest, 2)
    assert verify(before, LIST, quiet).differing == 0


def test_a_runner_of_the_release_before_releases_the_projection_for_the_switch_and_then_stands_still(
    before, runner_of, append_to, story
):
    old, new = runner_of(Before()), runner_of(LIST)
    drain(old)
    drain(new)
    assert (state_of(old), state_of(new)) == (RUNNING, STANDBY)
    seen = []

    def look_when_asked(_done, _total):
        # Between the build and the switch the old runner goes on, on its own tables.
        story.happened.clear()
        append_to(story.start(uuid4()).happened)
        drain(old)
        seen.append((state_of(old), position(before), "before" in columns(before, "public")))

    build(before, LIST, look_when_asked)
    assert seen == [(RUNNING, 3, True)]

    with before.connect() as waiting:
        # What the switch writes first makes the old runner leave at its next refresh.
        waiting.execute(
            "update projections set digest = %s where name = 'execution_list'", (SWITCHING + shape(before),)
        )
    drain(old)
    assert state_of(old) == STALE
    promote(before, LIST, quiet)
    last = append_to(story.start(uuid4()).happened[-1:])
    drain(old)
    assert (state_of(old), position(before)) == (STALE, 3)
    drain(new)
    assert (state_of(new), position(before)) == (RUNNING, last)
    drain(old)
    assert state_of(old) == STANDBY
    assert verify(before, LIST, quiet).differing == 0


@pytest.fixture
def impatient(monkeypatch):
    """Connections that are made from now on wait a fifth of a second for locks."""
    monkeypatch.setitem(SETTINGS, "lock_timeout", "200ms")


def test_a_process_that_does_not_release_the_projection_keeps_its_tables(impatient, before, runner_of):
    old = runner_of(Before())
    drain(old)
    with pytest.raises(HandOverRefused, match="execution_list"):
        build_and_switch(before, LIST, quiet)
    assert shape(before) == Before().digest
    drain(old)
    assert state_of(old) == RUNNING
    old.close()
    build_and_switch(before, LIST, quiet)
    assert shape(before) == LIST.digest


def test_a_rollback_to_another_shape_leaves_the_tables_to_the_release_that_they_suit(
    before, runner_of, append_to, story
):
    build_and_switch(before, LIST, quiet)
    new = runner_of(LIST)
    drain(new)
    append_to(story.start(UUID(int=2)).happened[-1:])
    drain(new)
    assert position(before) == 3
    new.close()
    assert rollback(before, LIST, quiet, dry_run=True).position == 2
    assert shape(before) == LIST.digest
    switched = rollback(before, LIST, quiet)
    assert (switched.position, switched.other_shape) == (2, True)
    assert (shape(before), position(before)) == (Before().digest, 2)
    old = runner_of(Before())
    drain(old)
    assert (state_of(old), position(before)) == (RUNNING, 3)
    assert verify(before, Before(), quiet).differing == 0
    old.close()
    back = rollback(before, LIST, quiet)
    assert (back.position, back.other_shape, shape(before)) == (3, False, LIST.digest)
    assert verify(before, LIST, quiet).differing == 0


def test_a_rollback_to_the_same_shape_brings_the_tables_up_to_date_first(projected, append, story, runner_of):
    with projected.reading() as connection:
        connection.execute("update execution_list set status = 'tampered'")
    build(projected, LIST, quiet)
    promote(projected, LIST, quiet)
    story.happened.clear()
    last = append(story.start(UUID(int=2)).happened)
    drain(runner_of(LIST))
    switched = rollback(projected, LIST, quiet)
    assert (switched.position, position(projected)) == (last, last)
    found = rows(projected, QUERY.format("public"))
    assert [row["status"] for row in found] == ["tampered", "running"]
    assert [row["status"] for row in rows(projected, QUERY.format("previous"))] == ["running", "running"]
    rollback(projected, LIST, quiet)
    assert verify(projected, LIST, quiet).differing == 0


def test_a_diff_shows_rows_and_columns_that_differ_and_changes_nothing(before, runner_of, append_to, story):
    build(before, LIST, quiet)
    with before.reading() as connection:
        connection.execute("update execution_list set status = 'tampered'")
    old = runner_of(Before())
    story.happened.clear()
    append_to(story.start(UUID(int=2)).happened)
    drain(old)
    stored = rows(before, QUERY.format("building"))
    at, (found, costs, _) = diff(before, LIST, quiet)
    assert at == 3
    assert (found.table, found.rows_live, found.rows_built, found.differing) == ("execution_list", 2, 2, 1)
    assert (found.columns_added, found.columns_removed) == ([], ["before"])
    [sample] = found.samples
    assert (sample.live["status"], sample.rebuilt["status"]) == ("tampered", "running")
    assert (costs.table, costs.differing) == ("execution_list_costs", 0)
    assert rows(before, QUERY.format("building")) == stored


class Interrupted(Exception):
    """As the end of the process would."""


@pytest.mark.parametrize("stage", ["building", "switching"])
def test_an_interrupted_build_is_continued_and_switched_to(before, append_to, story, stage, runner_of):
    append_to(skips(story, 20))
    old = runner_of(Before())
    drain(old)
    old.close()

    def interrupt(_done, _total):
        raise Interrupted

    if stage == "building":
        with pytest.raises(Interrupted):
            build_and_switch(before, LIST, interrupt)
    else:
        build(before, LIST, quiet)
        with before.reading() as connection:
            connection.execute("update projections set digest = %s || digest", (SWITCHING,))
            connection.execute(
                "update projections set digest = replace(digest, %s, '') where name <> %s", (SWITCHING, LIST.name)
            )
    [left] = rows(before, "select position, digest from read_table_builds where slot = 'building'")
    assert (left["position"], left["digest"]) == (22, LIST.digest)
    told = []
    build_and_switch(before, LIST, lambda done, _total: told.append(done))
    assert told == [22], "nothing was built again"
    assert verify(before, LIST, quiet).differing == 0


def test_a_rebuild_changes_the_shape_under_a_running_release_in_the_same_way(before, runner_of):
    rebuild(before, LIST, quiet)
    assert shape(before) == LIST.digest
    held = "select count(*) as n from pg_locks where locktype = 'advisory' and classid in (%s, %s)"
    mine = f"{held} and database = (select oid from pg_database where datname = current_database())"
    assert rows(before, mine, RUNNER_LOCK, REBUILD_LOCK) == [{"n": 0}]
    assert not columns(before, "previous")
