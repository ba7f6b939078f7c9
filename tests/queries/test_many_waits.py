"""Many queries for positions beyond the end of the log: they leave threads to all others."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from projections.tables import create_read_tables
from queries.progress import ExecutionProgress
from queries.reading import MOST_BEYOND, NotYet, Reading
from store.datastore import Datastore
from store.log import Log
from tests.scheduler.conftest import append
from tests.waiting import until

LISTED = "execution_list"
LONG = 3_600.0


@pytest.fixture
def reading(datastore: Datastore, read_tables: Datastore) -> Iterator[Reading]:
    with datastore.reading() as connection:
        create_read_tables(connection)
    progress = ExecutionProgress(datastore)
    progress.start()
    yield Reading(datastore, progress, wait_seconds=LONG)
    progress.stop()


def test_queries_beyond_the_end_wait_in_bounded_numbers_and_others_wait_as_ever(
    datastore: Datastore, reading: Reading
) -> None:
    found: list[int] = []

    def query(position: int) -> None:
        with reading.of(LISTED, position) as (_, freshness):
            found.append(freshness.as_of_position)

    def start(position: int) -> threading.Thread:
        thread = threading.Thread(target=query, args=(position,))
        thread.start()
        return thread

    with closing(Log(datastore)) as log:
        # given as many queries as may wait for an event that is still to come
        end = append(log)
        waiting = [start(end + 1) for _ in range(MOST_BEYOND)]

        until(lambda: reading.crowded)

        # when one more comes, then it is answered at once
        with pytest.raises(NotYet), reading.of(LISTED, end + 1):
            pass

        # and one for a position that was given out waits for it
        waiting.append(start(end))
        append(log)
        with datastore.reading() as connection, connection.transaction():
            connection.execute("update notification_tracking set notification_id = %s", (end + 1,))
            connection.execute("select pg_notify('procession_projected', %s)", (str(end + 1),))
        for thread in waiting:
            thread.join()
        assert found == [end + 1] * (MOST_BEYOND + 1)
