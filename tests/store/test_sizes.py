"""No event, append or page is larger than its bound, however many large events there are."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from psycopg import Connection

from domain.event import Cause, Event, record
from domain.executions.events.step import StepCompleted, StepSkipped
from store.bounded import EventTooLarge
from store.log_reading import read_page
from store.reading import SETTINGS, read_pages, read_range, read_used
from store.sizes import FULL_PAGE, LARGEST_EVENT, page_query
from store.unit import Unit

AT = datetime(2026, 1, 1, tzinfo=UTC)
CAUSE = Cause(AT, "worker:test")
LARGE = 6 << 20


def answered(size: int) -> Event:
    return record(StepCompleted, CAUSE, step="big", attempt=1, output="x" * size, started_at=AT)


def test_an_event_beyond_the_bound_is_refused_with_its_place(log):
    with pytest.raises(EventTooLarge) as refused:
        log.append(Unit(uuid4(), 0, [answered(LARGEST_EVENT)]))
    assert (refused.value.code, refused.value.problems[0].path) == ("result_too_large", "steps.big")
    with pytest.raises(EventTooLarge):
        log.append(Unit(uuid4(), 0, [answered(LARGE)] * 11))
    assert log.last_position() == 0


def test_large_units_are_spread_over_appends(log):
    statements: list[int] = []
    append = log.recorder.append

    def counted(connection, columns, epoch):
        statements.append(len(columns))
        return append(connection, columns, epoch)

    log.recorder.append = counted
    outcomes = log.append_all([Unit(uuid4(), 0, [answered(LARGE)]) for _ in range(7)])
    assert (statements, outcomes) == ([3, 3, 1], [1, 2, 3, 4, 5, 6, 7])


def test_a_page_ends_with_the_event_that_fills_it(log):
    log.append_all([Unit(uuid4(), 0, [answered(LARGE)]) for _ in range(4)] + [Unit(uuid4(), 0, [answered(10)])])
    with log.datastore.reading() as connection:
        assert [row[0] for row in read_page(connection, 0, 5_000)] == [1, 2, 3]
        assert [row[0] for row in read_page(connection, 3, 5_000)] == [4, 5]
        assert [(end, len(rows)) for end, rows in pages(connection, 5)] == [(3, 3), (5, 2)]
        assert [(end, len(rows)) for end, rows in pages(connection, 2)] == [(2, 2)]
    assert 2 * LARGE < FULL_PAGE < 3 * LARGE


def test_large_events_that_a_reader_leaves_out_end_no_page(log):
    skipped = record(StepSkipped, CAUSE, step="a", reason="condition_false")
    log.append_all([Unit(uuid4(), 0, [answered(LARGE), skipped]) for _ in range(4)])
    with log.datastore.reading() as connection:
        for read in (read_used, read_range):
            found = list(read_pages(lambda after, end, read=read: read(connection, after, end, ["StepSkipped"]), 0, 8))
            assert [(end, [row[0] for row in rows]) for end, rows in found] == [(8, [2, 4, 6, 8])]


def test_a_page_finds_its_end_by_the_index_of_large_events(log):
    log.append_all([Unit(uuid4(), 0, [answered(10)]) for _ in range(50)])
    with log.datastore.connect(**SETTINGS) as connection:
        plan = connection.execute(f"explain {page_query('notification_id > 7')}").fetchall()
    assert "stored_events_large_idx" in str(plan)


def pages(connection: Connection, until: int):
    return read_pages(lambda after, end: read_used(connection, after, end, ["StepCompleted"]), 0, until)


def test_the_size_of_a_stream_is_read_with_it(log):
    stream = uuid4()
    log.append(Unit(stream, 0, [answered(1_000), answered(10)]))
    (found,) = log.streams([stream]).values()
    assert log.stream(stream).size == found.size == sum(len(state) for state in states(log))


def states(log) -> list[bytes]:
    with log.datastore.reading() as connection:
        return [row[4] for row in read_page(connection, 0, 10)]
