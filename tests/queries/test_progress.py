"""Waiting for a read model: woken by its notification, by its own look, or not at all."""

import threading
import time
from collections.abc import Iterator

import pytest

from projections import ALL as READ_MODELS
from projections.locks import RUNNER_LOCK as HELD_BY_RUNNERS
from projections.locks import lock_key as runner_lock_key
from projections.tables import create_read_tables
from queries.ahead import age_of
from queries.progress import ALL, ExecutionProgress
from queries.projections import RUNNER_LOCK, lock_key
from store.datastore import Datastore


@pytest.fixture
def prepared(datastore: Datastore, read_tables: Datastore) -> Datastore:
    with datastore.reading() as connection:
        create_read_tables(connection)
    return datastore


@pytest.fixture
def progress(prepared: Datastore) -> Iterator[ExecutionProgress]:
    made = ExecutionProgress(prepared)
    made.start()
    yield made
    made.stop()


def move(datastore: Datastore, name: str, position: int, *, notify: bool = True) -> None:
    with datastore.reading() as connection, connection.transaction():
        connection.execute(
            "update notification_tracking set notification_id = %s where application_name = %s", (position, name)
        )
        if notify:
            connection.execute("select pg_notify('procession_projected', %s)", (str(position),))


def test_what_is_there_is_not_waited_for(progress: ExecutionProgress, prepared: Datastore) -> None:
    move(prepared, "execution_list", 7)
    begun = time.monotonic()
    assert progress.reached("execution_list", 7, timeout=60)
    assert time.monotonic() - begun < 30
    assert not progress.reached("execution_detail", 7, timeout=0)


def test_many_wait_for_positions_of_their_own(progress: ExecutionProgress, prepared: Datastore) -> None:
    found: dict[int, bool] = {}

    def wait(position: int) -> None:
        found[position] = progress.reached("execution_list", position, timeout=1.5 if position > 20 else 60)

    waiting = [threading.Thread(target=wait, args=(position,)) for position in (5, 10, 20, 21)]
    for thread in waiting:
        thread.start()
    for position in (6, 12, 20):
        move(prepared, "execution_list", position)
    for thread in waiting:
        thread.join()
    assert found == {5: True, 10: True, 20: True, 21: False}


@pytest.mark.parametrize("listening", [True, False])
def test_a_lost_notification_only_delays(prepared: Datastore, listening: bool) -> None:
    progress = ExecutionProgress(prepared)
    if listening:
        progress.start()
    later = threading.Timer(0.2, move, (prepared, "execution_list", 3), {"notify": False})
    later.start()
    assert progress.reached("execution_list", 3, timeout=60)
    later.join()
    progress.stop()


def test_whoever_subscribes_hears_until_it_ends_that(progress: ExecutionProgress, prepared: Datastore) -> None:
    heard: list[int] = []
    woken = threading.Event()

    def hear(position: int) -> None:
        heard.append(position)
        woken.set()

    end = progress.subscribe(hear)
    move(prepared, "execution_list", 4)
    assert woken.wait(60)
    assert heard == [4]
    end()
    move(prepared, "execution_list", 5)
    assert progress.reached("execution_list", 5, timeout=60)
    assert heard == [4]


def test_a_read_model_that_stands_still_holds_nobody_up(progress: ExecutionProgress, prepared: Datastore) -> None:
    for name in {each.name for each in READ_MODELS} - {"execution_detail"}:
        move(prepared, name, 9)
    assert progress.reached(ALL, 0, timeout=0)
    assert not progress.reached(ALL, 9, timeout=0)
    with prepared.reading() as connection:
        connection.execute("update projections set failure = 'broken' where name = 'execution_detail'")
    assert progress.reached(ALL, 9, timeout=60)
    assert progress.position() == 9


def test_projectors_are_found_by_the_lock_they_hold() -> None:

    assert RUNNER_LOCK == HELD_BY_RUNNERS
    for name in ("execution_list", "agent_directory"):
        assert lock_key(name) == runner_lock_key(name) % 2**32


@pytest.mark.parametrize(
    ("state", "old"),
    [
        (b'{"at":"2020-01-01T00:00:00Z","actor":"x"', True),
        (b'{"at":"2999-01-01T00:00:00Z"', False),
        (b"{}", False),
        (None, False),
    ],
)
def test_an_event_is_as_old_as_it_says(state: bytes | None, old: bool) -> None:
    assert (age_of(state) > 0) == old
