"""Batches by their events: the list is fixed, it starts within an hour, and workers go through it to its end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from domain.batches.batch import FrozenBatch, fold
from domain.batches.decisions import (
    LASTS,
    LISTED_TOGETHER,
    NewBatch,
    advance_batch,
    freeze_batch,
    run_batch,
    stop_batch,
)
from domain.batches.events import (
    BatchAdvanced,
    BatchEnded,
    BatchExecutionsListed,
    BatchFrozen,
    BatchStarted,
    BatchStopped,
    RefusedExecution,
)
from domain.event import Cause, Event, record
from domain.refusal import Malformed
from tests.scenario import Given, refused, scenario

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
CAUSE = Cause(NOW, "user:ann", "request")
LATE = Cause(NOW + LASTS + timedelta(seconds=1), "user:ann", "request")
IDS = [UUID(int=n) for n in range(1, 6)]
NEW = NewBatch("cancel", {"status": "running"}, IDS, ["b", "a", "b"], 17)
REFUSED = RefusedExecution(IDS[1], "execution_ended", "the execution is completed already")


def frozen() -> list[Event]:
    return [
        record(
            BatchFrozen,
            CAUSE,
            act="cancel",
            filter={"status": "running"},
            count=5,
            processes=["a", "b"],
            as_of_position=17,
            expires_at=NOW + LASTS,
        ),
        record(BatchExecutionsListed, CAUSE, executions=IDS),
    ]


def started() -> Event:
    return record(BatchStarted, CAUSE, reason="the supplier is down")


def advanced(done: int, refused: int = 0) -> Event:
    return record(BatchAdvanced, CAUSE, done=done, refused=[REFUSED] * refused)


def stopped() -> Event:
    return record(BatchStopped, CAUSE, reason="enough")


given = scenario(lambda past: fold(None, [*frozen(), *past]))


def test_the_list_is_fixed_with_its_processes_and_its_end():
    assert freeze_batch(NEW, CAUSE) == frozen()


def test_a_long_list_is_recorded_in_parts_and_comes_back_in_order():
    ids = [UUID(int=n) for n in range(1, 2 * LISTED_TOGETHER + 2)]
    events = freeze_batch(msgspec.structs.replace(NEW, executions=ids), CAUSE)
    parts = [len(event.executions) for event in events[1:]]  # type: ignore[attr-defined]
    assert parts == [LISTED_TOGETHER, LISTED_TOGETHER, 1]
    batch = fold(None, events)
    assert batch is not None
    assert list(batch.executions) == ids


@pytest.mark.parametrize(
    ("more", "paths"),
    [
        ({"act": "archive"}, ["act"]),
        ({"act": "skip"}, ["step"]),
        ({"act": "reassign"}, ["step", "agent"]),
        ({"act": "reassign", "step": "work"}, ["agent"]),
        ({"step": "work"}, ["step"]),
        ({"act": "retry", "agent": "writer"}, ["agent"]),
    ],
)
def test_an_act_names_what_it_needs_and_nothing_else(more, paths):
    with pytest.raises(Malformed) as raised:
        freeze_batch(msgspec.structs.replace(NEW, **more), CAUSE)
    assert [problem.path for problem in raised.value.problems] == paths


def test_nothing_is_frozen_where_nothing_matches():
    Given(msgspec.structs.replace(NEW, executions=[])).when(freeze_batch, CAUSE).then(refused("nothing_matches"))


def test_a_batch_starts_once():
    given().when(run_batch, "the supplier is down", CAUSE).then(started())
    given(started()).when(run_batch, "again", CAUSE).then()
    given(started(), advanced(5)).when(run_batch, "again", LATE).then()


def test_a_list_that_is_too_old_never_starts():
    given().when(run_batch, "late", LATE).then(refused("batch_expired"))


def test_a_batch_that_was_stopped_never_starts():
    given(stopped()).when(run_batch, "after all", CAUSE).then(refused("batch_stopped"))


def test_a_batch_stops_before_it_starts_or_in_the_middle_but_not_after_its_end():
    given().when(stop_batch, "enough", CAUSE).then(stopped())
    given(started(), advanced(2)).when(stop_batch, "enough", CAUSE).then(stopped())
    given(started(), stopped()).when(stop_batch, "again", CAUSE).then()
    ended = record(BatchEnded, CAUSE, done=5, unchanged=0, refused=0)
    given(started(), advanced(5), ended).when(stop_batch, "late", CAUSE).then(refused("batch_ended"))


def test_a_batch_ends_with_the_last_of_its_list():
    first = record(BatchAdvanced, CAUSE, done=2, unchanged=1, refused=[REFUSED])
    given(started()).when(advance_batch, 2, 1, [REFUSED], CAUSE).then(first)
    last = record(BatchAdvanced, CAUSE, done=1)
    ended = record(BatchEnded, CAUSE, done=3, unchanged=1, refused=1)
    given(started(), first).when(advance_batch, 1, 0, [], CAUSE).then(last, ended)


def test_the_rest_of_the_list_follows_what_was_gone_through():
    batch: FrozenBatch = given(started(), advanced(2, refused=1)).state
    assert batch.rest(10) == tuple(IDS[3:])
    assert batch.rest(1) == (IDS[3],)
    assert (batch.runner, batch.reason, batch.passed) == ("user:ann", "the supplier is down", 3)
