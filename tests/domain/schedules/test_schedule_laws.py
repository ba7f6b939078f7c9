"""The law of the ledger: each instant that a rule in force expects comes to exactly one outcome."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.event import Event
from domain.identity import schedule_id
from domain.schedules.decisions import (
    backfill_schedule,
    pause_schedule,
    register_schedule,
    remove_schedule,
    resume_schedule,
)
from domain.schedules.due import MOST_FACTS, account_for_due, end_run
from domain.schedules.events import (
    OccurrenceEvent,
    ScheduleFired,
    ScheduleOccurrenceBackfilled,
    ScheduleRegistered,
    ScheduleRemoved,
)
from domain.schedules.ledger import balance, occurrences
from domain.schedules.schedule import Registration, Schedule, carry, evolve, fold
from tests.domain.schedules.timetables import NOON, PROCESS, at, rule, skipped_by_pause, terms_of

RULES = st.builds(
    rule,
    every=st.integers(1, 7),
    overlap=st.sampled_from(["skip", "buffer_one", "allow", "cancel_running"]),
    catch_up=st.sampled_from(["latest", "all", "none"]),
    window=st.sampled_from([1, 5, 100, 100_000]),
    pause_after=st.sampled_from([None, 1, 3]),
    exceptions=st.sampled_from([0, 2, 3]),
)
ACTS = st.one_of(
    st.tuples(st.just("register"), RULES),
    st.tuples(st.sampled_from(["due", "due", "due", "pause", "resume", "remove", "backfill"]), st.none()),
    st.tuples(st.just("backfill and resume"), st.none()),
    st.tuples(st.just("end"), st.sampled_from(["completed", "failed", "cancelled"])),
)
SEQUENCES = st.lists(st.tuples(st.one_of(st.floats(0, 6), st.floats(-3, 400)), ACTS), max_size=25)


def carry_out(events: list[Event], name: str, choice: Any, version: int, minute: float) -> list[Event]:
    """Return what follows from one act at a minute after noon."""
    schedule, cause = fold(None, events), at(minute)
    if name == "register":
        return register_schedule(schedule, PROCESS, "news", version, choice, {}, cause, terms_of)
    if schedule is None:
        return []
    if name == "backfill and resume":
        new: list[Event] = []
        for each in ("pause", "due", "backfill", "resume"):
            new += carry_out([*events, *new], each, None, version, minute)
        return new
    match name:
        case "due":
            return account_for_due(schedule, cause.at, cause, terms_of)
        case "remove":
            return remove_schedule(schedule, "archived", cause, terms_of)
        case "end" if schedule.running:
            return end_run(schedule, schedule.running[0], choice, cause, terms_of)
        case "pause" if schedule.status == "active":
            return pause_schedule(schedule, "holiday", cause, terms_of)
        case "resume" if schedule.status == "paused":
            return resume_schedule(schedule, skipped_by_pause(events), "", cause.at, cause, terms_of)
        case "backfill" if schedule.status != "removed":
            return backfill_schedule(schedule, list(occurrences(events).values()), cause, terms_of)
        case _:
            return []


def instants_of_the_rules_in_force(events: list[Event], until: datetime) -> list[datetime]:
    """Return every instant that a rule expects while it is in force, from the registrations alone."""
    found: list[datetime] = []
    periods: list[Registration] = []
    for event in events:
        if isinstance(event, ScheduleRegistered | ScheduleRemoved) and periods and periods[-1].until is None:
            end = event.since if isinstance(event, ScheduleRegistered) else event.until
            last = periods.pop()
            periods.append(Registration(last.key, last.version, last.rule, {}, last.anchor, last.since, end))
        if isinstance(event, ScheduleRegistered):
            periods.append(
                Registration(
                    schedule_id(event.process_id, event.trigger_id),
                    event.version,
                    event.rule,
                    {},
                    event.anchor,
                    event.since,
                )
            )
    for period in periods:
        for instant in terms_of(period).timetable.after(period.since):
            if instant.at > min(until, period.until or until):
                break
            found.append(instant.at)
    return found


@settings(max_examples=200, deadline=None)
@given(SEQUENCES)
def test_every_expected_instant_comes_to_exactly_one_outcome(sequence: list[tuple[float, Any]]) -> None:
    """Whatever is published, replaced, paused, resumed, backfilled, archived, restored and ends, at whatever times."""
    events: list[Event] = []
    minute, version, latest = 0.0, 0, 0.0
    for ahead, (name, choice) in sequence:
        minute += ahead  # a clock may be set back
        latest = max(latest, minute)
        version += name == "register"
        events += carry_out(events, name, choice, version, minute)
    while new := carry_out(events, "due", None, 0, latest):
        events += new

    schedule = fold(None, events)
    found = occurrences(events)
    assert sorted(found) == instants_of_the_rules_in_force(events, at(latest).at)
    waiting = [each for each in found.values() if each.outcome == "waiting"]
    assert [each.scheduled_at for each in waiting] == [
        each for each in [schedule.waiting if schedule else None] if each is not None
    ]
    counts = balance(found.values())
    assert counts["expected"] == len(found) - len(waiting) == sum(counts.values()) - counts["expected"]
    started = [e.execution_id for e in events if isinstance(e, ScheduleFired | ScheduleOccurrenceBackfilled)]
    assert len(started) == len(set(started))
    first = Counter(
        e.scheduled_at
        for e in events
        if isinstance(e, OccurrenceEvent) and not isinstance(e, ScheduleOccurrenceBackfilled)
    )
    held = {each for each, times in first.items() if times > 1}
    assert all(first[each] == 2 for each in held)  # held, then its outcome


@settings(max_examples=50, deadline=None)
@given(RULES, st.integers(1, 2_000))
def test_a_decision_is_bounded_and_the_state_is_small(choice: dict[str, Any], minutes: int) -> None:
    """However long nobody has accounted for the instants."""
    events: list[Event] = register_schedule(None, PROCESS, "news", 1, choice, {}, at(0), terms_of)
    schedule, fired = fold(None, events), []
    while schedule is not None and (new := account_for_due(schedule, at(minutes).at, at(minutes), terms_of)):
        assert len(new) <= 2 * MOST_FACTS
        schedule = fold(schedule, new)
        assert schedule is not None
        fired += [event.execution_id for event in new if isinstance(event, ScheduleFired)]
        assert list(schedule.running) == fired
        assert len(schedule.registrations) == 1
        assert schedule.next_at is not None

    assert schedule is not None
    assert schedule.cursor <= NOON + timedelta(minutes=minutes)


def test_the_fold_is_the_same_in_any_parts() -> None:
    """The state after some events, then the others, is the state after all."""
    events: list[Event] = register_schedule(None, PROCESS, "news", 1, rule(), {}, at(0), terms_of)
    events += carry_out(events, "due", None, 0, 3)
    whole, by_one = fold(None, events), None
    for event in events:
        by_one = evolve(by_one, event)

    assert isinstance(whole, Schedule)
    assert fold(None, [carry(whole, at(4))]) == whole == fold(whole, [carry(whole, at(4))])
    assert whole == by_one
    assert UUID(int=7) == whole.process_id
