"""Commands on a schedule with a long history: right by all of its events, and read from a part of them."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import DecodeError

from commands.schedules import BackfillSchedule, PauseSchedule, ResumeSchedule, RunScheduleNow
from domain.event import Cause
from domain.identity import process_id, schedule_id
from domain.refusal import Forbidden
from domain.schedules.decisions import pause_schedule, register_schedule
from domain.schedules.due import account_for_due
from domain.schedules.events import ScheduleOccurrenceBackfilled
from domain.schedules.ledger import occurrences
from domain.schedules.rules import terms_of
from domain.schedules.schedule import carry, fold
from store.unit import Unit
from tests.domain.schedules.timetables import skipped_by_pause

PLAIN = "name: plain\nsteps: [{id: a, type: timer, duration: 1s}]\n"
CARRIED_EVERY = 500
INSTANTS = 6_000


@pytest.fixture
def long(installation):
    """A schedule by the second whose stream holds thousands of instants; the second half is skipped by a pause."""
    installation.publish(PLAIN)

    def scheduled(**rule):
        id, process = schedule_id(process_id("plain"), "tick"), process_id("plain")
        document = {"type": "schedule", "id": "tick", "every": "1s", "catch_up_window": "1d", **rule}
        begin = datetime.now(UTC) - timedelta(seconds=INSTANTS)
        cause = Cause(begin, "user:test")
        events = register_schedule(None, process, "plain", 1, document, {}, cause, terms_of)
        state, carried = fold(None, events), 0
        for second in range(100, INSTANTS, 100):
            at = begin + timedelta(seconds=second)
            cause = Cause(at, "worker:test")
            new = account_for_due(state, at, cause, terms_of)
            if second == INSTANTS // 2:
                new += pause_schedule(fold(state, new), "a pause", cause, terms_of)
            state = fold(state, new)
            events += new
            if len(events) // CARRIED_EVERY > carried:
                carried = len(events) // CARRIED_EVERY
                events.append(carry(state, cause))
        # The executions themselves are of no interest here: those of `started` have a stream of one event.
        installation.log.append(Unit(id, 0, events))
        return id, begin

    return scheduled


def backfilled(installation, id):
    events = installation.log.stream(id)
    return [event.scheduled_at for event in events if isinstance(event, ScheduleOccurrenceBackfilled)]


def test_the_end_of_a_pause_starts_the_newest_instant_that_it_skipped(installation, long):
    id, _ = long(overlap="allow")
    expected = skipped_by_pause(installation.log.stream(id))[-1].scheduled_at
    installation.schedules.resume(ResumeSchedule(id), installation.cause)

    # The instants since the last event are accounted for first; the newest of all starts.
    [started] = backfilled(installation, id)
    assert started >= expected
    assert fold(None, installation.log.stream(id)).status == "active"


def test_the_end_of_a_pause_starts_the_first_ones_and_the_newest_where_all_are_made_up_for(installation, long):
    id, _ = long(catch_up="all", overlap="allow", catch_up_window="50m")
    now = datetime.now(UTC)
    skipped = [each.scheduled_at for each in skipped_by_pause(installation.log.stream(id))]
    first = [at for at in skipped if at > now - timedelta(minutes=50)][:50]
    done = BackfillSchedule(id, first[3], first[5])
    installation.schedules.backfill(done, installation.cause)
    installation.schedules.resume(ResumeSchedule(id), Cause(now, "user:test"))

    started = backfilled(installation, id)
    assert started[:2] == first[3:5]
    assert started[2:5] == [first[0], first[1], first[2]]
    assert started[5:20] == first[5:20]
    assert len(started) == 2 + 100
    assert started[-1] >= skipped[-1]


def test_a_backfill_starts_what_the_whole_ledger_says_that_started_none(installation, long):
    id, begin = long(overlap="allow")
    lower, upper = begin + timedelta(seconds=1_234), begin + timedelta(seconds=1_334)
    whole = [each for at, each in occurrences(installation.log.stream(id)).items() if lower <= at < upper]
    counted = installation.schedules.backfill(BackfillSchedule(id, lower, upper, dry_run=True), installation.cause)
    assert counted.facts["count"] == sum(each.outcome == "coalesced" for each in whole) == 99
    assert counted.facts["skipped"] == 1
    installation.schedules.backfill(BackfillSchedule(id, lower, upper), installation.cause)
    again = installation.schedules.backfill(BackfillSchedule(id, lower, upper), installation.cause)

    assert (again.facts["count"], again.facts["skipped"]) == (0, 100)
    assert sorted(backfilled(installation, id)) == [each.scheduled_at for each in whole if each.outcome == "coalesced"]
    with pytest.raises(Forbidden) as refusal:
        wide = BackfillSchedule(id, begin, begin + timedelta(days=1), dry_run=False)
        installation.schedules.backfill(wide, installation.cause)
    assert refusal.value.code == "backfill_too_large"


def test_a_command_reads_a_part_of_a_long_stream(installation, long):
    id, begin = long(overlap="allow")
    last = len(installation.log.stream(id))
    with installation.datastore.reading() as connection:
        # Nobody can decode the events before, other than the states that the stream carries.
        early = "originator_id = %s and originator_version < %s and topic <> 'ScheduleCarried'"
        connection.execute(f"update stored_events set state = 'x' where {early}", (id, last - 1_200))
    with pytest.raises(DecodeError):
        installation.log.stream(id)

    commands = installation.schedules
    commands.run_now(RunScheduleNow(id), installation.cause)
    commands.resume(ResumeSchedule(id), installation.cause)
    commands.pause(PauseSchedule(id), installation.cause)
    recent = begin + timedelta(seconds=INSTANTS - 300)
    within = BackfillSchedule(id, recent, recent + timedelta(seconds=50), dry_run=True)
    assert commands.backfill(within, installation.cause).facts["count"] == 50
