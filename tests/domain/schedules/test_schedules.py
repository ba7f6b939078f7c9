"""Given past events of a schedule, when it is due or somebody acts on it, then these events follow."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.event import Event
from domain.identity import occurrence_id, schedule_id
from domain.schedules.decisions import (
    backfill_schedule,
    pause_schedule,
    register_schedule,
    remove_schedule,
    resume_schedule,
    run_now,
)
from domain.schedules.due import Hindrance, Pauses, account_for_due, end_run
from domain.schedules.events import ScheduleFired
from domain.schedules.ledger import occurrences
from domain.schedules.schedule import Schedule, fold
from tests.domain.schedules.timetables import NOON, PROCESS, at, rule, skipped_by_pause, terms_of
from tests.scenario import refused, scenario

given = scenario(lambda events: fold(None, events))


def registered(every: int = 1, minute: float = 0, version: int = 1, before: Any = (), **more: Any) -> list[Event]:
    """Return `before`, and the registration of a rule at `minute`."""
    state = fold(None, before)
    new = register_schedule(state, PROCESS, "news", version, rule(every, **more), {}, at(minute), terms_of)
    return [*before, *new]


def due(past: list[Event], minute: float) -> list[Event]:
    """Return the past, and what becomes of the instants due at `minute`."""
    return [*past, *account(fold(None, past), minute)]


def account(
    schedule: Schedule | None, minute: float, hindrance: Hindrance | None = None, pauses: Pauses = ()
) -> list[Event]:
    """Account for the instants due at `minute`."""
    assert schedule is not None
    return account_for_due(schedule, at(minute).at, at(minute), terms_of, hindrance, pauses)


def outcomes(events: list[Event]) -> list[str]:
    """Return the outcomes of all instants in order, with their reasons."""
    found = sorted(occurrences(events).values(), key=lambda each: each.scheduled_at)
    return [f"{each.outcome}:{each.reason}" if each.reason else each.outcome for each in found]


def test_an_instant_that_is_due_starts_an_execution_whose_id_follows_from_it() -> None:
    [fired] = given(*registered()).when(account, 1).events

    assert fired.scheduled_at == NOON + timedelta(minutes=1)
    assert fired.execution_id == occurrence_id(schedule_id(PROCESS, "tick"), fired.scheduled_at)
    assert fired.execution_id.version == 8
    assert fired.lateness == 0
    assert fired.next_at == NOON + timedelta(minutes=2)


def test_ids_of_later_instants_sort_later() -> None:
    ids = [occurrence_id(UUID(int=n), NOON + timedelta(seconds=n)) for n in range(50)]

    assert ids == sorted(ids)


def test_nothing_happens_before_it_is_due_nor_twice() -> None:
    given(*registered()).when(account, 0.9).then()
    given(*due(registered(), 1)).when(account, 1.5).then()


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"catch_up": "latest"}, ["coalesced:catch_up"] * 4 + ["started"]),
        ({"catch_up": "all"}, ["started"] * 5),
        ({"catch_up": "none"}, ["missed:overdue"] * 4 + ["started"]),
        ({"catch_up": "all", "window": 2}, ["missed:catch_up_window"] * 3 + ["started"] * 2),
    ],
)
def test_of_those_due_together_the_newest_starts_and_the_rule_says_what_becomes_of_the_others(
    more: dict[str, Any], found: list[str]
) -> None:
    assert outcomes(due(registered(**more), 5.5)) == found


def test_under_none_an_instant_overdue_by_more_than_a_minute_is_missed() -> None:
    assert outcomes(due(registered(every=10, catch_up="none"), 10.9)) == ["started"]
    assert outcomes(due(registered(every=10, catch_up="none"), 11.1)) == ["missed:overdue"]


def test_at_most_a_hundred_start_at_once_however_many_decisions_it_takes() -> None:
    events = registered(catch_up="all", window=100_000)
    while new := account(fold(None, events), 500.5):
        events += new

    found = outcomes(events)
    assert found == ["started"] * 99 + ["coalesced:catch_up"] * 400 + ["started"]
    assert outcomes(due(events, 502.5)) == [*found, "started", "started"]


@pytest.mark.parametrize(
    ("overlap", "found"),
    [
        ("allow", ["started"] * 3),
        ("skip", ["started", "skipped:overlap", "skipped:overlap"]),
        ("buffer_one", ["started", "waiting", "skipped:buffer_full"]),
        ("cancel_running", ["started", "coalesced:overlap", "waiting"]),
    ],
)
def test_while_an_execution_runs_the_rule_says_what_becomes_of_the_next(overlap: str, found: list[str]) -> None:
    events = due(due(due(registered(overlap=overlap), 1), 2), 3)

    assert outcomes(events) == found


@pytest.mark.parametrize("overlap", ["buffer_one", "cancel_running"])
def test_what_waits_starts_when_the_running_execution_has_ended(overlap: str) -> None:
    events = due(due(registered(every=10, overlap=overlap), 10), 20)
    running = occurrence_id(schedule_id(PROCESS, "tick"), at(10).at)

    ended = given(*events).when(end_run, running, "cancelled", at(21), terms_of).then("ScheduleRunEnded")
    assert ended.events[0].next_at == at(20).at

    [fired] = account(fold(None, [*events, *ended.events]), 21)
    assert isinstance(fired, ScheduleFired)
    assert (fired.scheduled_at, fired.lateness, fired.next_at) == (at(20).at, 60, at(30).at)


def test_cancel_running_names_what_it_cancels() -> None:
    events = due(registered(overlap="cancel_running"), 1)

    [held] = given(*events).when(account, 2).then("ScheduleOccurrenceHeld").events
    assert held.cancelled == [occurrence_id(schedule_id(PROCESS, "tick"), at(1).at)]


def test_the_end_of_an_execution_counts_once() -> None:
    events = due(registered(), 1)
    running = fold(None, events).running[0]  # type: ignore[union-attr]
    ended = end_run(fold(None, events), running, "failed", at(2), terms_of)  # type: ignore[arg-type]

    assert fold(None, [*events, *ended]).failures == 1  # type: ignore[union-attr]
    given(*events, *ended).when(end_run, running, "failed", at(2), terms_of).then()


def test_after_failures_in_a_row_it_pauses_itself_with_the_reason() -> None:
    events = registered(pause_after=2)
    for minute in (1, 2):
        events = due(events, minute)
        schedule = fold(None, events)
        assert schedule is not None
        events += end_run(schedule, schedule.running[-1], "failed", at(minute + 0.5), terms_of)

    after = fold(None, events)
    assert after is not None
    assert (after.status, after.reason) == ("paused", "2 failures in a row")


def test_while_paused_each_instant_is_skipped_and_resume_catches_up_once() -> None:
    events = due(registered(), 1)
    events += pause_schedule(fold(None, events), "holiday", at(1.5), terms_of)  # type: ignore[arg-type]
    events = due(events, 4)
    assert outcomes(events) == ["started", *["skipped:paused"] * 3]

    resumed = given(*events).when(resume_schedule, skipped_by_pause(events), "back", at(5.5).at, at(5.5), terms_of)
    resumed.then("ScheduleOccurrenceSkipped", "ScheduleResumed", "ScheduleOccurrenceBackfilled")
    events += resumed.events
    assert outcomes(events) == ["started", *["skipped:paused"] * 3, "backfilled"]
    assert outcomes(due(events, 6)) == ["started", *["skipped:paused"] * 3, "backfilled", "started"]


def test_resume_starts_nothing_that_a_backfill_has_started() -> None:
    events = registered(catch_up="all")
    events += pause_schedule(fold(None, events), "", at(0.5), terms_of)  # type: ignore[arg-type]
    events = due(events, 3)
    found = list(occurrences(events).values())
    events += backfill_schedule(fold(None, events), found[:2], at(3.2), terms_of)  # type: ignore[arg-type]

    resumed = given(*events).when(resume_schedule, skipped_by_pause(events), "", at(3.5).at, at(3.5), terms_of)
    resumed.then("ScheduleResumed", "ScheduleOccurrenceBackfilled")


@pytest.mark.parametrize(("catch_up", "started"), [("latest", 1), ("all", 3), ("none", 0)])
def test_resume_follows_the_rule(catch_up: str, started: int) -> None:
    events = registered(catch_up=catch_up)
    events += pause_schedule(fold(None, events), "", at(0.5), terms_of)  # type: ignore[arg-type]
    events = due(events, 3)

    resumed = given(*events).when(resume_schedule, skipped_by_pause(events), "", at(3.5).at, at(3.5), terms_of)
    assert resumed.names == ["ScheduleResumed", *["ScheduleOccurrenceBackfilled"] * started]


def test_a_new_version_replaces_the_rule_and_what_was_due_before_still_starts() -> None:
    events = registered(every=1)
    events = registered(every=3, minute=1.5, version=2, before=events)

    events = due(events, 10)
    found = occurrences(events)
    minutes = [(moment - NOON).total_seconds() / 60 for moment in sorted(found)]
    assert minutes == [1, 4.5, 7.5]
    assert [found[moment].version for moment in sorted(found)] == [1, 2, 2]


def test_the_same_rule_keeps_its_cadence_under_a_new_version() -> None:
    events = registered(every=3, minute=2, version=2, before=registered(every=3))

    assert fold(None, events).next_at == at(3).at  # type: ignore[union-attr]
    assert registered(every=3, minute=2.5, version=2, before=events) == events


def test_a_removed_rule_expects_nothing_and_comes_back_for_the_future_only() -> None:
    events = registered()
    events += remove_schedule(fold(None, events), "archived", at(1.5), terms_of)  # type: ignore[arg-type]
    events = due(events, 5)
    assert outcomes(events) == ["skipped:removed"]
    given(*events).when(account, 9).then()

    events = registered(minute=10.5, version=1, before=events)
    assert outcomes(due(events, 11)) == ["skipped:removed", "started"]
    given(*due(events, 11)).when(remove_schedule, "", at(11.5), terms_of).then("ScheduleRemoved")


def test_acts_on_a_removed_schedule_are_refused() -> None:
    events = registered()
    events += remove_schedule(fold(None, events), "archived", at(0.5), terms_of)  # type: ignore[arg-type]

    given(*events).when(pause_schedule, "", at(1), terms_of).then(refused("schedule_removed"))
    given(*events).when(run_now, UUID(int=1), "", at(1), terms_of).then(refused("schedule_removed"))


def test_running_now_leaves_the_cadence_alone() -> None:
    events = registered(overlap="skip")
    events += run_now(fold(None, events), UUID(int=1), "", at(0.5, "user:ann"), terms_of)  # type: ignore[arg-type]

    assert outcomes(due(events, 1)) == ["started"]


def test_a_backfill_starts_what_started_none_and_no_exception() -> None:
    events = due(registered(exceptions=2), 4)
    assert outcomes(events) == ["coalesced:catch_up", "skipped:exception", "started", "skipped:exception"]

    back = backfill_schedule(
        fold(None, events),
        list(occurrences(events).values()),
        at(5, "user:ann"),
        terms_of,  # type: ignore[arg-type]
    )
    assert outcomes([*events, *back]) == ["backfilled", "skipped:exception", "started", "skipped:exception"]


def test_what_cannot_start_is_skipped_with_the_reason() -> None:
    [skipped] = given(*registered()).when(account, 1, Hindrance("process_archived", "it is archived")).events

    assert (skipped.reason, skipped.detail) == ("process_archived", "it is archived")


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([(1, 3)], ["coalesced:catch_up", "skipped:process_paused", "skipped:process_paused", "started"]),
        ([(2, None)], ["coalesced:catch_up", "started", "skipped:process_paused", "skipped:process_paused"]),
        (
            [(0, 1.5), (3.5, None)],
            ["skipped:process_paused", "coalesced:catch_up", "started", "skipped:process_paused"],
        ),
    ],
)
def test_instants_in_a_pause_of_the_process_are_skipped_whenever_they_are_accounted_for(
    pauses: list[tuple[float, float | None]], expected: list[str]
) -> None:
    # The first pause ends as the third instant is due, and the second begins then.
    times = [(at(since + 0.5).at, None if until is None else at(until + 0.5).at) for since, until in pauses]
    events = given(*registered()).when(account, 4, None, times).events
    assert outcomes(list(events)) == expected
