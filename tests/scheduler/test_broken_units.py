"""A schedule or an agent about which no decision succeeds stops no other, and its own work waits for another try."""

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from domain.calendar.durations import parse_duration
from domain.event import Cause
from domain.identity import agent_id, process_id, schedule_id
from domain.schedules.decisions import register_schedule
from domain.schedules.events import ScheduleFired, ScheduleRunEnded
from domain.schedules.rules import terms_of
from store.unit import Unit
from tests.scheduler.conftest import Installation

MESSAGES = "select distinct source from outbox where claimed_until > now() + interval '10 seconds'"


def break_stream(installation: Installation, stream: UUID) -> None:
    """Make the events of a stream ones that no release reads."""
    installation.rows("update stored_events set state = '[]' where originator_id = %s", stream)


def register(installation: Installation, trigger: str, every: str, process: str = "plain") -> UUID:
    """Register a schedule of a process that is due now, and again after `every`."""
    id = schedule_id(process_id(process), trigger)
    cause = Cause(installation.cause.at - parse_duration(every) - timedelta(seconds=1), "user:test")
    document = {"type": "schedule", "id": trigger, "every": every, "overlap": "allow"}
    installation.log.append(
        Unit(id, 0, register_schedule(None, process_id(process), process, 1, document, {}, cause, terms_of))
    )
    return id


@pytest.fixture
def plain(installation: Installation) -> Installation:
    installation.agent("echo", script="echo")
    installation.publish("{name: plain, steps: [{id: a, agent: echo, message: hello}]}")
    return installation


def ends(installation: Installation, schedule: UUID) -> list[UUID]:
    return [each.execution_id for each in installation.log.stream(schedule) if isinstance(each, ScheduleRunEnded)]


def test_an_agent_that_cannot_be_read_stops_no_other(plain: Installation) -> None:
    plain.agent("other", script="echo")
    plain.publish("{name: of-other, steps: [{id: a, agent: other, message: hello}]}")
    broken = plain.start("of-other")
    break_stream(plain, agent_id("other"))
    worker = plain.worker()
    others = [plain.start("plain") for _ in range(5)]
    assert {state.status for state in plain.ended(*others)} == {"completed"}
    plain.until(lambda: [row["execution_id"] for row in plain.rows("select execution_id from set_aside")] == [broken])
    assert worker.alive


def test_a_schedule_that_cannot_be_read_stops_no_other_and_is_logged(
    plain: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    broken, other = (register(plain, trigger, "1s") for trigger in ("broken", "other"))
    break_stream(plain, broken)
    worker = plain.worker()
    plain.until(lambda: len(ends(plain, other)) >= 2)
    plain.until(lambda: str(broken) in caplog.text)
    assert worker.alive


def holed(installation: Installation, stream: UUID) -> None:
    """Move the last event of a stream, so that one before it is missing: each append after it meets a conflict."""
    installation.rows(
        """update stored_events set originator_version = originator_version + 1 where originator_id = %s
        and originator_version = (select max(originator_version) from stored_events where originator_id = %s)""",
        stream,
        stream,
    )


def test_a_schedule_whose_stream_has_a_hole_stops_no_other(
    plain: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = (register(plain, trigger, "1s") for trigger in ("broken", "other"))
    first = plain.worker()
    plain.until(lambda: len(ends(plain, broken)) >= 1)
    first.stop()
    holed(plain, broken)
    caplog.set_level(logging.ERROR)
    before = len(ends(plain, other))
    worker = plain.worker()
    plain.until(lambda: f"no decision about schedule {broken} succeeds" in caplog.text)
    plain.until(lambda: len(ends(plain, other)) >= before + 3)
    assert worker.alive


def unreadable(installation: Installation, schedule: UUID) -> None:
    break_stream(installation, schedule)


def undecidable(installation: Installation, schedule: UUID) -> None:
    """Make the rule one whose instants are beyond the calendar: its state can be read, and each decision breaks."""
    installation.rows(
        """update stored_events set state = convert_to(replace(convert_from(state, 'utf8'), %s, %s), 'utf8')
        where originator_id = %s and topic = 'ScheduleRegistered'""",
        '"anchor":"20',
        '"anchor":"9999-12-31T23:59:59Z","was":"20',
        schedule,
    )


@pytest.mark.parametrize("broken_by", [unreadable, undecidable, holed])
def test_an_end_that_a_schedule_cannot_note_waits_and_stops_no_other(
    plain: Installation, caplog: pytest.LogCaptureFixture, broken_by: Callable[[Installation, UUID], None]
) -> None:
    plain.publish("{name: held, steps: [{id: a, type: timer, duration: 1h}]}")
    broken, other = (register(plain, trigger, "1h", "held") for trigger in ("broken", "other"))
    first = plain.worker()
    runs = lambda id: [e.execution_id for e in plain.log.stream(id) if isinstance(e, ScheduleFired)]  # noqa: E731
    plain.until(lambda: runs(broken) and runs(other))
    ended = runs(other)
    (waiting,) = runs(broken)
    first.stop()
    broken_by(plain, broken)
    for id in (waiting, *ended):
        plain.cancel(id)
    caplog.set_level(logging.ERROR)
    worker = plain.worker()
    plain.until(lambda: ends(plain, other) == ended)
    plain.until(lambda: f"no end of a run is noted in schedule {broken}" in caplog.text)
    # The message waits for another try.
    plain.until(lambda: [row["source"] for row in plain.rows(MESSAGES)] == [waiting])
    assert worker.alive
