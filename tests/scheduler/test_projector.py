"""The projector's loop: woken by appends, back after outages, taken over by another when it goes."""

import logging
import time

import pytest

from projections import ALL
from projections.locks import RUNNER_LOCK
from projections.positions import Positions
from projections.tables import create_read_tables
from scheduler.projector import BUSY_EVENTS, linger_after
from store.log import Log
from tests.scheduler.conftest import append, skipped


@pytest.fixture
def log(datastore, read_tables):
    with datastore.reading() as connection:
        create_read_tables(connection)
    opened = Log(datastore)
    yield opened
    opened.close()


def arrives(datastore, position, seconds=120.0):
    """Wait for notifications until every projection is at `position`; whether they are in time."""
    names = [projection.name for projection in ALL]
    deadline = time.monotonic() + seconds
    with datastore.connect() as ear:
        ear.execute("listen procession_projected")
        while time.monotonic() < deadline:
            if set(Positions().read(ear, names).values()) == {position}:
                return True
            for _ in ear.notifies(timeout=0.2, stop_after=1):
                pass
    return False


def runners(datastore, query="select pid from"):
    with datastore.reading() as connection:
        return connection.execute(
            f"""{query} pg_locks where locktype = 'advisory' and classid = %s
            and database = (select oid from pg_database where datname = current_database())""",
            (RUNNER_LOCK,),
        ).fetchall()


def states(projector):
    return {state.state for state in projector.states}


def test_an_append_is_projected_and_what_came_before_the_start_too(datastore, log, projector):
    append(log)
    projector()
    assert arrives(datastore, append(log))
    assert arrives(datastore, append(log))


def test_stopping_projects_what_is_there_and_another_takes_over(datastore, log, projector):
    first = projector()
    assert arrives(datastore, append(log))
    second = projector()
    assert states(first) == {"running"}
    assert states(second) == {"standby"}
    last = append(log)
    first.stop()
    assert not first.alive
    assert arrives(datastore, last)
    assert arrives(datastore, append(log))
    assert states(second) == {"running"}


def test_when_the_connections_that_project_are_killed_each_projection_has_one_runner_again(datastore, log, projector):
    one, other = projector(), projector()
    assert arrives(datastore, append(log))
    for _ in range(3):
        assert len(runners(datastore)) == len(ALL)
        runners(datastore, "select pg_terminate_backend(pid, 10000) from")
        assert arrives(datastore, append(log))
    assert one.alive
    assert other.alive


def test_nothing_is_lost_when_every_connection_is_cut(datastore, log, projector):
    running = projector()
    assert arrives(datastore, append(log))
    with datastore.connect() as killer:
        killer.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    fresh = Log(datastore)  # the connection of the other one is gone as well
    last = append(fresh)
    fresh.close()
    assert arrives(datastore, last)
    assert running.alive


def test_what_follows_a_burst_shares_its_page_and_a_stop_ends_the_pause(datastore, log, projector, monkeypatch):
    monkeypatch.setattr("scheduler.projector.BURST_SECONDS", 600.0)
    running = projector()
    assert arrives(datastore, append(log))
    with datastore.connect() as ear:
        ear.execute("listen procession_projected")
        log.append_all(skipped(BUSY_EVENTS))
        last = append(log)
        running.stop()
        assert not running.alive
        assert [n.payload for n in ear.notifies(timeout=60, stop_after=1)] == [str(last)]


def test_entries_of_inboxes_that_cannot_be_dropped_disturb_no_projection(datastore, log, projector, caplog):
    caplog.set_level(logging.ERROR)
    with datastore.reading() as connection:
        connection.execute(
            """create function refuse() returns trigger language plpgsql as $$ begin raise 'not these'; end $$;
            create trigger refuse before delete on inbox_entries for each statement execute function refuse()"""
        )
    projector()
    assert arrives(datastore, append(log))
    assert arrives(datastore, append(log))
    assert [record.name for record in caplog.records] == ["scheduler.inbox_retention"]


def test_the_more_events_a_second_the_longer_the_pause_and_never_over_a_fifth_of_a_second():
    assert linger_after(0) < linger_after(3_000) < linger_after(20_000) <= 0.2
