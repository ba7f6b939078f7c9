"""One execution about which no decision succeeds is set aside, and all others go on."""

import logging
from collections.abc import Callable
from uuid import UUID

import pytest

from commands.deciding import DecisionBroke
from commands.executions import CancelExecution
from commands.set_aside import CancelSetAside, CannotCancel, NotSetAside, RetrySetAside
from domain.identity import child_id, new_id
from tests.scheduler.conftest import Installation

SOURCES = {
    "plain": "{name: plain, steps: [{id: a, agent: echo, message: hello}]}",
    "timed": "{name: timed, steps: [{id: pause, type: timer, duration: 50ms}]}",
    "callee": "{name: callee, steps: [{id: w, agent: echo, message: hello}]}",
    "calling": "{name: calling, steps: [{id: below, type: sub_process, process: callee}]}",
    "limited": "{name: limited, max_running: 2, steps: [{id: a, agent: echo, message: hello}]}",
}
ALL = ("plain", "timed", "calling", "limited")

# The server refuses every further event of the streams in `refused`, as a check or a limit of the server would.
REFUSE = """
create table refused (stream uuid primary key, cuts bool not null);
create function refuse() returns trigger language plpgsql as $$
begin
  if exists (select from refused where stream = new.originator_id and cuts) then
    perform pg_terminate_backend(pg_backend_pid());
    perform pg_sleep(60);
  end if;
  if exists (select from refused where stream = new.originator_id) then
    raise exception 'no more events of this stream' using errcode = '22001';
  end if;
  return new;
end $$;
create trigger refuse before insert on stored_events for each row execute function refuse()"""


def refuse(installation: Installation, id: UUID) -> None:
    installation.rows("insert into refused values (%s, false)", id)


def cut(installation: Installation, id: UUID) -> None:
    installation.rows("insert into refused values (%s, true)", id)


def break_stream(installation: Installation, id: UUID) -> None:
    """Add an event that decodes and that no state of the execution can take."""
    installation.rows(
        """insert into stored_events (originator_id, originator_version, topic, state)
        select originator_id, max(originator_version) + 1, 'StepSkipped',
          '{"at":"2026-01-01T00:00:00Z","actor":"user:test","step":"nowhere","reason":"x"}' from stored_events
        where originator_id = %s group by 1""",
        id,
    )


def make_hole(installation: Installation, id: UUID) -> None:
    """Move the last event of the stream away from the one before it, as a release without the check could."""
    installation.rows(
        """update stored_events e set originator_version = originator_version + 13 where originator_id = %s
        and originator_version = (select max(originator_version) from stored_events where originator_id = %s)""",
        id,
        id,
    )


BREAKS: dict[str, Callable[[Installation, UUID], None]] = {
    "the server refuses its events": refuse,
    "the server cuts the connection over its events": cut,
    "its stored state breaks the engine": break_stream,
    "its stream has a hole": make_hole,
}


@pytest.fixture
def ready(installation: Installation) -> Installation:
    installation.agent("echo", script="echo")
    for source in SOURCES.values():
        installation.publish(source)
    installation.rows(REFUSE)
    return installation


def aside(installation: Installation) -> dict[UUID, tuple[int, str]]:
    found = installation.rows("select execution_id, tries, error from set_aside")
    return {row["execution_id"]: (row["tries"], row["error"]) for row in found}


@pytest.mark.parametrize("why", BREAKS)
def test_what_breaks_is_set_aside_and_all_others_complete(
    ready: Installation, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    # The message to a child points to the last event, so without it no decision is due.
    broken = [ready.start(name) for name in ALL if not (name == "calling" and "hole" in why)]
    for id in broken:
        BREAKS[why](ready, id)
    others = [ready.start(name) for name in ALL for _ in range(20)]
    worker = ready.worker()
    assert {state.status for state in ready.ended(*others)} == {"completed"}
    ready.until(lambda: set(broken) <= aside(ready).keys())
    assert aside(ready).keys() == set(broken)
    assert worker.alive
    logged = {str(record.args[0]) for record in caplog.records if "is set aside until" in record.msg}  # type: ignore[index]
    assert {str(id) for id in broken} <= logged
    # Its rows wait for the next try, so that no worker claims them before.
    assert ready.rows("select 1 from due_steps where owner is not null or due_at <= now()") == []


def test_what_no_longer_breaks_completes_at_an_operators_retry_and_is_not_set_aside_any_more(
    ready: Installation,
) -> None:
    ids = [ready.start(name) for name in ALL]
    for id in ids:
        refuse(ready, id)
    ready.worker()
    ready.until(lambda: set(ids) <= aside(ready).keys())
    ready.rows("delete from refused")
    # As after many tries.
    ready.rows("update set_aside set next_try = now() + interval '1 hour'")
    ready.rows("update due_steps set due_at = now() + interval '1 hour'")
    ready.rows("update due_timers set claimed_until = now() + interval '1 hour'")
    ready.rows("update outbox set claimed_until = now() + interval '1 hour'")
    for id in ids:
        ready.set_aside.retry(RetrySetAside(id, "the limit is gone"), ready.cause)
    assert {state.status for state in ready.ended(*ids)} == {"completed"}
    ready.until(lambda: aside(ready) == {} and ready.left() == 0)
    with pytest.raises(NotSetAside):
        ready.set_aside.retry(RetrySetAside(ids[0], "once more"), ready.cause)


def test_what_no_longer_breaks_completes_by_itself(ready: Installation) -> None:
    ids = [ready.start(name) for name in ALL]
    for id in ids:
        refuse(ready, id)
    ready.worker()
    ready.until(lambda: set(ids) <= aside(ready).keys())
    ready.rows("delete from refused")
    assert {state.status for state in ready.ended(*ids)} == {"completed"}
    ready.until(lambda: aside(ready) == {} and ready.left() == 0)


def test_a_decision_elsewhere_takes_an_execution_back_with_all_its_rows(ready: Installation) -> None:
    parent = ready.start("calling")
    refuse(ready, child_id(parent, "below", 1))
    ready.worker()
    ready.until(lambda: child_id(parent, "below", 1) in aside(ready))
    other = ready.start("timed")
    refuse(ready, other)
    ready.until(lambda: other in aside(ready))
    ready.rows("delete from refused")
    ready.cancel(other)
    ready.cancel(parent)
    assert {state.status for state in ready.ended(parent, other)} == {"cancelled"}
    assert other not in aside(ready)
    assert ready.rows("select 1 from due_timers where execution_id = %s", other) == []


def test_cancelling_records_the_end_where_the_decision_breaks(ready: Installation) -> None:
    ids = [ready.start("plain"), ready.start("limited"), ready.start("timed")]
    for id in ids:
        break_stream(ready, id)
    ready.worker()
    ready.until(lambda: set(ids) <= aside(ready).keys())
    for id in ids:
        with pytest.raises(DecisionBroke, match=str(id)):
            ready.executions.cancel(CancelExecution(id, "enough"), ready.cause)
        ready.set_aside.cancel(CancelSetAside(id, "enough"), ready.cause)
        assert ready.log.stream_page(id, limit=10)[-1].topic == "ExecutionCancelled"
    assert aside(ready) == {}
    assert ready.left() == 0
    with pytest.raises(NotSetAside):
        ready.set_aside.cancel(CancelSetAside(ids[0], "again"), ready.cause)


def test_a_child_cancelled_without_the_engine_reports_to_its_parent(ready: Installation) -> None:
    ready.agent("slow", script="slow", delay="1h")
    ready.publish("{name: waits, steps: [{id: w, agent: slow, message: hello}]}")
    ready.publish("{name: above, steps: [{id: below, type: sub_process, process: waits}]}")
    parent = ready.start("above")
    child = child_id(parent, "below", 1)
    ready.worker()
    ready.until(lambda: ready.count("StepStarted") == 1)
    break_stream(ready, child)
    ready.rows("select set_aside_v1(%s, 'as by a worker', %s, '{}')", child, new_id())
    ready.set_aside.cancel(CancelSetAside(child, "enough"), ready.cause)
    (state,) = ready.ended(parent)
    assert state.status == "failed"


def test_a_parent_cancelled_without_the_engine_has_its_open_children_and_approvals_cancelled(
    ready: Installation,
) -> None:
    ready.agent("slow", script="slow", delay="1h")
    ready.publish("{name: waits, steps: [{id: w, agent: slow, message: hello}]}")
    ready.publish(
        """
        name: above
        steps:
          - {id: done, type: sub_process, process: callee}
          - {id: waited, type: sub_process, process: waits, depends_on: done}
          - {id: beside, type: sub_process, process: waits, wait: false, depends_on: done}
          - {id: kept, type: sub_process, process: waits, on_parent_close: abandon, depends_on: done}
          - {id: ask, type: human_approval, title: Go on?, depends_on: done}
        """
    )
    parent = ready.start("above")
    done, waited, beside, kept = (child_id(parent, step, 1) for step in ("done", "waited", "beside", "kept"))
    ready.worker()
    ready.until(lambda: ready.count("StepStarted") == 4)
    break_stream(ready, parent)
    ready.rows("select set_aside_v1(%s, 'as by a worker', %s, '{}')", parent, new_id())
    ready.set_aside.cancel(CancelSetAside(parent, "enough"), ready.cause)
    assert {state.status for state in ready.ended(waited, beside)} == {"cancelled"}
    assert (ready.state(done).status, ready.state(kept).status) == ("completed", "running")
    ends = [each.topic for each in ready.log.stream_page(parent, limit=100)][-4:]
    assert ends == ["ApprovalCancelled", "SubProcessClosed", "SubProcessClosed", "ExecutionCancelled"]
    # The children report to a parent that has ended and that no decision succeeds on: it is not set aside again.
    ready.until(lambda: ready.left("outbox") == 0 and aside(ready) == {})
    ready.cancel(kept)  # the worker need not wait for its open call
    ready.ended(kept)


def test_a_cancel_that_the_server_refuses_says_why(ready: Installation) -> None:
    id = ready.start("plain")
    refuse(ready, id)
    ready.worker()
    ready.until(lambda: id in aside(ready))
    with pytest.raises(CannotCancel, match="no more events of this stream"):
        ready.set_aside.cancel(CancelSetAside(id, "enough"), ready.cause)
    assert id in aside(ready)


def test_the_delay_between_tries_grows_up_to_an_hour(ready: Installation) -> None:
    id, worker = new_id(), new_id()
    delays = []
    for _ in range(14):
        ready.rows("select set_aside_v1(%s, 'broken', %s, '{}')", id, worker)
        (row,) = ready.rows("select tries, next_try - now() as delay from set_aside")
        delays.append(round(row["delay"].total_seconds() + 0.4))
        ready.rows("update set_aside set next_try = now()")
    assert delays[:5] == [5, 10, 20, 40, 80]
    assert delays[-3:] == [3600, 3600, 3600]
    assert aside(ready)[id][0] == 14


def test_the_next_in_the_queue_gets_the_slot(ready: Installation) -> None:
    ready.publish("{name: single, max_running: 1, steps: [{id: a, agent: echo, message: hello}]}")
    first, broken, last = (ready.start("single") for _ in range(3))
    break_stream(ready, broken)
    ready.worker()
    assert {state.status for state in ready.ended(first, last)} == {"completed"}
    assert aside(ready).keys() == {broken}


def test_one_agent_that_cannot_be_read_sets_aside_only_the_executions_that_call_it(ready: Installation) -> None:
    ready.agent("odd", script="echo")
    ready.publish("{name: odd, steps: [{id: a, agent: odd, message: hello}]}")
    ready.rows(
        "update stored_events set state = '{}' where topic = 'AgentRegistered' and state like '%%\"odd\"%%'::bytea"
    )
    ids = [ready.start(name) for name in ("odd", "plain")]
    worker = ready.worker()
    (other,) = ready.ended(ids[1])
    assert other.status == "completed"
    ready.until(lambda: aside(ready).keys() == {ids[0]})
    assert worker.alive


def test_a_notification_that_nobody_understands_ends_no_thread(ready: Installation) -> None:
    worker = ready.worker()
    ready.rows(
        "select pg_notify('procession_log', 'timer:soon due due:x 'timer:1e999 timer:')".replace("x 'timer", "x timer")
    )
    (state,) = ready.ended(ready.start("plain"))
    assert state.status == "completed"
    assert worker.alive
