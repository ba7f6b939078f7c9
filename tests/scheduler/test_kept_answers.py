"""An answer that cannot be recorded is kept with its attempt, and its agent is not called again."""

from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from commands.set_aside import RetrySetAside
from domain.executions.decisions.refusals import NotSetAside
from tests.scheduler.conftest import Installation

# The server refuses the answers to steps of the streams in `refused`.
REFUSE = """
create table refused (stream uuid primary key);
create function refuse() returns trigger language plpgsql as $$
begin
  if new.topic in ('StepCompleted', 'StepFailed')
    and exists (select from refused where stream = new.originator_id) then
    raise exception 'no answers of this stream' using errcode = '22001';
  end if;
  return new;
end $$;
create trigger refuse before insert on stored_events for each row execute function refuse()"""
PROCESS = "{name: plain, steps: [{id: a, agent: counted, message: hello}]}"


@pytest.fixture
def calls(installation: Installation, tmp_path: Path) -> Path:
    record = tmp_path / "calls"
    installation.agent("counted", script="echo", record=str(record), cost={"amount": "0.5", "currency": "EUR"})
    installation.publish(PROCESS)
    installation.rows(REFUSE)
    return record


def refused(installation: Installation) -> UUID:
    """Start an execution whose answers the server refuses."""
    id = installation.start("plain")
    installation.rows("insert into refused values (%s)", id)
    return id


def tries(installation: Installation, id: UUID) -> int:
    return sum(row["tries"] for row in installation.rows("select tries from set_aside where execution_id = %s", id))


def again(installation: Installation, id: UUID) -> None:
    """Try an execution again at once; a worker may have done so meanwhile."""
    with suppress(NotSetAside):
        installation.set_aside.retry(RetrySetAside(id, "once more"), installation.cause)


def answered(installation: Installation) -> list[int | None]:
    return [row["answered"] for row in installation.rows("select answered from due_steps")]


def called(record: Path) -> int:
    return len(record.read_text().splitlines())


def test_it_is_recorded_when_the_execution_is_tried_again(installation: Installation, calls: Path) -> None:
    id = refused(installation)
    worker = installation.worker()
    for tried in (1, 2):
        installation.until(lambda tried=tried: tries(installation, id) >= tried and answered(installation) == [1], 60)
        installation.rows("update set_aside set next_try = now() - interval '1 second'")
        again(installation, id)
    installation.rows("delete from refused")
    again(installation, id)
    (state,) = installation.ended(id)
    assert (state.status, called(calls), worker.alive) == ("completed", 1, True)
    topics = installation.topics(id)
    assert (topics["CostRecorded"], topics["StepReclaimed"]) == (1, 0)
    installation.until(lambda: installation.left() == 0, 60)


def test_another_worker_records_it(installation: Installation, calls: Path) -> None:
    id = refused(installation)
    first = installation.worker()
    installation.until(lambda: tries(installation, id) >= 1 and answered(installation) == [1], 60)
    first.stop()
    installation.rows("delete from refused")
    installation.worker()
    (state,) = installation.ended(id)
    assert (state.status, called(calls)) == ("completed", 1)


def test_those_of_executions_that_wait_for_their_next_try_are_kept_too(
    installation: Installation, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    installation.agent("first", script="echo", record=str(first))
    installation.agent("second", script="slow", delay="1s", record=str(second))
    installation.publish(
        "{name: two, steps: [{id: a, agent: first, message: hello}, {id: b, agent: second, message: hello}]}"
    )
    installation.rows(REFUSE)
    id = installation.start("two")
    installation.rows("insert into refused values (%s)", id)
    installation.worker()
    installation.until(lambda: answered(installation) == [1, 1], 60)
    installation.rows("delete from refused")
    again(installation, id)
    (state,) = installation.ended(id)
    assert (state.status, called(first), called(second)) == ("completed", 1, 1)


def test_a_worker_of_a_newer_release_records_it(installation: Installation, tmp_path: Path) -> None:
    record = tmp_path / "calls"
    installation.agent("counted", script="slow", delay="1s", record=str(record))
    installation.publish(PROCESS)
    id = installation.start("plain")
    installation.worker()
    installation.until(lambda: record.exists() and called(record) == 1, 60)
    installation.rows(
        """insert into stored_events (originator_id, originator_version, topic, state)
        select originator_id, max(originator_version) + 1, 'StepTeleported', '{}' from stored_events
        where originator_id = %s group by 1""",
        id,
    )
    installation.until(lambda: answered(installation) == [1], 60)
    # As for a worker of the newer release, which knows the event.
    installation.rows("delete from stored_events where topic = 'StepTeleported'")
    (state,) = installation.ended(id)
    assert (state.status, called(record)) == ("completed", 1)


def test_one_that_only_a_newer_release_can_read_waits_for_that_and_others_go_on(
    installation: Installation, calls: Path
) -> None:
    id = refused(installation)
    worker = installation.worker()
    installation.until(lambda: answered(installation) == [1], 60)
    (kept,) = installation.rows("update due_steps set answer = '[1]' returning execution_id")
    assert kept["execution_id"] == id
    installation.rows("delete from refused")
    again(installation, id)
    (other,) = installation.ended(installation.start("plain"))
    assert (other.status, worker.alive, called(calls)) == ("completed", True, 2)
    installation.until(lambda: installation.due() == [("a", None)], 60)
    assert installation.state(id).status == "running"
