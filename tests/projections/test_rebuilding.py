"""Rebuilds: the same rows as live, beside the live ones, whoever writes meanwhile and wherever they are interrupted."""

import threading
from uuid import UUID

import pytest

from app.clock import SYSTEM_CLOCK
from domain.executions.events.execution import ExecutionCompleted
from projections import ALL
from projections.building import RebuildRunning
from projections.execution_list import ExecutionList
from projections.locks import REBUILD_LOCK, lock_key
from projections.rebuilding import rebuild
from projections.running import Runner
from projections.verifying import verify
from scheduler.projector import Projector
from tests.projections.releases import position, project, quiet, rows, skips

X = UUID(int=1)
LIST = ALL[0]


@pytest.mark.parametrize("projection", ALL, ids=lambda p: p.name)
def test_a_rebuild_puts_tampered_rows_right_and_stays_where_live_was(projected, projection, rows_of):
    with projected.reading() as connection:
        before = rows_of(connection, projection)
        for table in projection.tables:
            connection.execute(f"truncate {table}")
    built = rebuild(projected, projection, quiet)
    assert built.events == 2
    assert built.seconds > 0
    with projected.reading() as connection:
        assert rows_of(connection, projection) == before
    assert position(projected, projection.name) == 2


def test_a_rebuilt_table_has_its_indexes_and_nothing_is_left_aside(projected):
    query = "select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1"
    before = rows(projected, query)
    for projection in ALL:
        rebuild(projected, projection, quiet)
    assert rows(projected, query) == before
    assert rows(projected, "select from pg_tables where schemaname in ('rebuilding', 'building', 'previous')") == []


def test_a_rebuild_that_is_ahead_of_live_moves_it_and_its_runner_goes_on_from_there(projected, append, story):
    runner = Runner(projected)
    runner.refresh()
    story.happened.clear()
    append(story.schedule(X, "b").happened)
    rebuild(projected, LIST, quiet)
    assert position(projected) == 3
    append(story.end(X, ExecutionCompleted, outputs={}).happened[-1:])
    while runner.advance():
        pass
    runner.close()
    assert position(projected) == 4
    assert verify(projected, LIST, quiet).differing == 0


def test_rebuilds_while_events_arrive_and_the_projector_runs_give_what_live_gives(projected, append, story):
    begin = append(skips(story, 12_000))
    projector = Projector(projected, SYSTEM_CLOCK)
    projector.start()
    arriving = threading.Event()

    def arrive():
        while not arriving.wait(0.01):
            append(skips(story, 50))

    thread = threading.Thread(target=arrive)
    thread.start()
    try:
        for projection in ALL:
            rebuild(projected, projection, quiet)
    finally:
        arriving.set()
        thread.join()
        projector.stop()
    end = position(projected)
    assert end > begin
    for projection in ALL:
        assert position(projected, projection.name) == end
        found = verify(projected, projection, quiet)
        assert (found.differing, found.samples) == (0, [])


class Interrupted(Exception):
    """As Ctrl-C would."""


def test_an_interrupted_rebuild_leaves_live_as_it_was_and_can_be_run_again(projected, append, story, rows_of):
    append(skips(story, 12_000))
    project(projected)

    def interrupt(_done, _total):
        raise Interrupted

    with projected.connect() as connection:
        before = rows_of(connection, LIST)
        with pytest.raises(Interrupted):
            rebuild(projected, LIST, interrupt)
        assert rows_of(connection, LIST) == before
        rebuild(projected, LIST, quiet)
        assert rows_of(connection, LIST) == before


def test_two_rebuilds_of_one_projection_at_once_are_refused_and_of_two_are_not(projected):
    with projected.connect() as other:
        other.execute("select pg_advisory_lock(%s, %s)", (REBUILD_LOCK, lock_key("execution_list")))
        with pytest.raises(RebuildRunning, match="execution_list"):
            rebuild(projected, LIST, quiet)
        rebuild(projected, ALL[1], quiet)
    rebuild(projected, LIST, quiet)


def test_a_rebuild_that_is_done_keeps_nobody_from_the_next(projected):
    rebuild(projected, LIST, quiet)
    own = "database = (select oid from pg_database where datname = current_database())"
    held = f"select from pg_locks where locktype = 'advisory' and classid = {REBUILD_LOCK} and {own}"
    assert rows(projected, held) == []


def test_readers_read_the_old_rows_until_the_new_ones_are_there(projected, append, story):
    append(skips(story, 10))
    seen = []

    def read(_done, _total):
        seen.append(len(rows(projected, "select from execution_list")))

    rebuild(projected, LIST, read)
    assert seen[0] == 1
    assert seen[-1] == len(rows(projected, "select from execution_list")) == 11


def test_dead_letters_are_tried_again(projected, append, story):
    with projected.reading() as connection:
        connection.execute("insert into dead_letters (projection, position, error) values ('execution_list', 1, 'old')")
        connection.execute(
            "insert into stored_events (originator_id, originator_version, topic, state)"
            " values (gen_random_uuid(), 1, 'StepSkipped', 'no json')"
        )
    last = append(skips(story, 1))
    rebuild(projected, LIST, quiet)
    letters = rows(projected, "select projection, position from dead_letters")
    assert letters == [{"projection": "execution_list", "position": last - 1}]
    assert len(rows(projected, "select from execution_list")) == 2
    assert verify(projected, LIST, quiet).differing == 0


def test_a_projection_defined_anew_is_rebuilt_as_it_is_now(projected):
    class Changed(ExecutionList):
        ddl = ExecutionList.ddl + "alter table execution_list add column extra text;"

    rebuild(projected, Changed(), quiet)
    [row] = rows(projected, "select * from execution_list")
    assert row["extra"] is None
    runner = Runner(projected, [Changed()])
    runner.refresh()
    assert [state.state for state in runner.states] == ["running"]
    runner.close()


def test_a_log_without_events_is_rebuilt_too(read_tables):
    for projection in ALL:
        assert rebuild(read_tables, projection, quiet).events == 0
