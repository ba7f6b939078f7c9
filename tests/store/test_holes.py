"""The append refuses events without the one before; a refused unit fails alone, whatever the reason."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from domain.event import Cause, record
from domain.executions.events.step import StepScheduled, StepSkipped
from store.streams import StreamsWithoutHoles
from store.unit import Conflict, EventsMissing, StreamChange, Unit, UnitRefused

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test")


class Noting:
    def __init__(self, calls):
        self.calls = calls

    def forget_all(self):
        self.calls.append(1)


def skipped(step="a"):
    return record(StepSkipped, CAUSE, step=step, reason="condition_false")


def test_a_stream_gets_no_event_without_the_one_before(log):
    stream = uuid4()
    log.append(Unit(stream, 0, [skipped()] * 3))
    for version in (4, 17):
        with pytest.raises(EventsMissing):
            log.append(Unit(stream, version, [skipped()]))
    with pytest.raises(EventsMissing):
        log.append(Unit(uuid4(), 1, [skipped()]))
    assert len(log.stream(stream)) == 3
    log.append(Unit(stream, 3, [skipped()]))


def test_nor_does_a_stream_whose_change_comes_before_those_of_the_unit(log):
    with pytest.raises(EventsMissing):
        log.append(Unit(uuid4(), 0, [skipped()], before=(StreamChange(uuid4(), 2, [skipped()]),)))


def test_units_of_one_stream_in_one_append_follow_each_other(log):
    stream = uuid4()
    units = [Unit(stream, 0, [skipped()] * 2), Unit(stream, 2, [skipped()]), Unit(stream, 5, [skipped()])]
    outcomes = log.append_all(units)
    assert [type(outcome) for outcome in outcomes] == [int, int, EventsMissing]
    assert len(log.stream(stream)) == 3


def test_a_process_that_may_have_read_lost_events_is_notified(log):
    forgotten = []
    noting = Noting(forgotten)
    log.datastore.epochs.subscribe(noting.forget_all)
    log.append(Unit(stream := uuid4(), 0, [skipped()]))
    with pytest.raises(Conflict):
        log.append(Unit(stream, 0, [skipped()]))
    assert forgotten == []
    with pytest.raises(EventsMissing):
        log.append(Unit(stream, 9, [skipped()]))
    assert forgotten == [1]


@pytest.mark.parametrize("odd", ["nul \0 in a key", "half a pair \ud800", "x" * (1 << 20)])
def test_a_unit_that_is_refused_fails_alone(log, odd):
    """The server refuses texts that it cannot keep; half a pair of surrogates cannot even be encoded."""
    with log.datastore.reading() as connection:
        connection.execute("alter table due_steps add check (length(step) < 1000)")
    streams = [uuid4() for _ in range(5)]
    units = [Unit(stream, 0, [skipped("a" if n != 2 else odd)]) for n, stream in enumerate(streams)]
    units[2].events.append(scheduled(odd))
    outcomes = log.append_all(units)
    assert [type(outcome) for outcome in outcomes] == [int, int, UnitRefused, int, int]
    assert [len(log.stream(stream)) for stream in streams] == [1, 1, 0, 1, 1]
    with pytest.raises(UnitRefused):
        log.append(units[2])


def scheduled(step):
    return record(StepScheduled, CAUSE, step=step, attempt=1, agent="a", message="hello")


def test_the_library_writes_no_holes_either(log):
    def stored(stream, *versions):
        return [
            StoredEvent(originator_id=stream, originator_version=v, topic="StepSkipped", state=b"{}") for v in versions
        ]

    stream = uuid4()
    log.recorder.insert_events(stored(stream, 1, 2))
    for versions in ((4,), (3, 5)):
        with pytest.raises(IntegrityError):
            log.recorder.insert_events(stored(stream, *versions))
    log.recorder.insert_events(stored(stream, 3, 4))


def test_holes_are_named_with_their_streams(log):
    streams = [uuid4() for _ in range(3)]
    for stream in streams:
        log.append(Unit(stream, 0, [skipped()] * 4))
    verify = StreamsWithoutHoles().verify
    assert (verify(log.datastore, quiet).rows, verify(log.datastore, quiet).differing) == (3, 0)
    with log.datastore.reading() as connection:
        for stream, versions in zip(streams, ([1], [2, 3], [4]), strict=True):
            connection.execute(
                "delete from stored_events where originator_id = %s and originator_version = any(%s)",
                (stream, versions),
            )
    found = verify(log.datastore, quiet)
    assert found.differing == 2
    holes = {(each.key["stream"], each.key["after_version"], each.live["version"]) for each in found.samples}
    assert holes == {(str(streams[0]), 0, 2), (str(streams[1]), 1, 4)}


def quiet(_done, _total):
    """Progress that nobody watches."""
