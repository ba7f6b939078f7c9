"""Processes of which only so many executions run at once, on real workers: who waits, who is let in and when."""

import pytest

from commands.executions import unit_of
from commands.process_pauses import PauseProcess, ResumeProcess
from commands.processes import ArchiveProcess, PublishProcess, ReviseProcess
from domain.executions.decisions.execution import start_execution
from domain.executions.events.execution import Trigger
from domain.executions.state.model import Execution
from domain.identity import new_id, process_id
from domain.refusal import Forbidden
from scheduler import dispatcher
from scheduler.admitting import MOST
from store.lists.slots import SLOTS

LIMITED = """
name: limited
max_running: {limit}
steps: [{{id: work, agent: {agent}, message: hello, compensation: {{agent: echo, message: undo}}}}]
"""
ASKING = "name: asking\nmax_running: {limit}\nsteps: [{{id: ask, type: human_approval}}]\n"


def asking(installation, count, limit=2):
    """Executions that wait for people, as many of them as may run; the others wait for their turn."""
    installation.publish(ASKING.format(limit=limit))
    ids = [installation.start("asking") for _ in range(count)]
    installation.worker()
    installation.until(lambda: installation.statuses_of(ids) == ["running"] * limit + ["queued"] * (count - limit))
    return ids


def revise(installation, source):
    id = process_id("asking")
    installation.processes.revise(ReviseProcess(id, source), installation.cause)
    installation.processes.publish(PublishProcess(id), installation.cause)


def comings_and_goings(installation):
    """In the order of the log, of every execution: what happened to it, and which one it was."""
    topics = ["ExecutionQueued", "ExecutionAdmitted", "ExecutionCompleted", "ExecutionCancelled", "ExecutionFailed"]
    return [
        (row["topic"].removeprefix("Execution"), row["id"])
        for row in installation.rows(
            "select topic, originator_id as id from stored_events where topic = any(%s) order by notification_id",
            topics,
        )
    ]


def test_two_workers_let_in_no_more_than_may_run_and_in_the_order_they_came(limiting):
    limiting.publish(LIMITED.format(limit=3, agent="slow"))
    for _ in range(2):
        limiting.worker()
    ids = [limiting.start("limited") for _ in range(40)]
    limiting.until(lambda: limiting.left() == 0)
    running, most, told = set(), 0, comings_and_goings(limiting)
    for what, id in told:
        if what == "Admitted":
            running.add(id)
        running -= {id} if what == "Completed" else set()
        most = max(most, len(running))
    assert most == 3
    assert [id for what, id in told if what == "Admitted"] == [id for what, id in told if what == "Queued"] == ids
    assert [what for what, _ in told].count("Completed") == 40


def test_a_worker_that_comes_later_lets_in_who_waits(limiting):
    limiting.publish(LIMITED.format(limit=1, agent="echo"))
    ids = [limiting.start("limited") for _ in range(10)]
    assert limiting.statuses_of(ids) == ["queued"] * 10
    limiting.worker(lease=3600)
    assert {execution.status for execution in limiting.ended(*ids)} == {"completed"}
    assert limiting.left() == 0


def test_more_than_are_let_in_at_a_time_are_let_in_without_anybody_having_to_ask(limiting, monkeypatch):
    # No worker looks at everything again while the test runs.
    monkeypatch.setattr(dispatcher, "IDLE_POLL_SECONDS", 3600.0)
    crowd = 10 * MOST
    plan = limiting.plans.get(limiting.publish(ASKING.format(limit=crowd)), 1)
    begun = (start_execution(new_id(), plan, {}, Trigger(), limiting.cause) for _ in range(crowd))
    limiting.log.append_all([unit_of(Execution(each.execution.id, plan), each) for each in begun])
    limiting.worker(lease=3600)
    limiting.until(lambda: limiting.count("ExecutionAdmitted") == crowd)


def test_who_is_cancelled_while_it_waits_never_runs_and_makes_room_for_nobody(limiting):
    first, second, third = asking(limiting, 3, limit=1)
    limiting.cancel(second)
    limiting.cancel(first)
    limiting.until(lambda: limiting.statuses_of([first, second, third]) == ["cancelled", "cancelled", "running"])
    assert limiting.topics(second) == {"ExecutionStarted": 1, "ExecutionQueued": 1, "ExecutionCancelled": 1}


@pytest.mark.parametrize("limit", ["4", None])
def test_a_limit_that_is_raised_or_dropped_lets_in_who_waits(limiting, limit):
    ids = asking(limiting, 6)
    revise(limiting, ASKING.format(limit=limit) if limit else ASKING.replace("max_running: {limit}\n", "").format())
    running = 6 if limit is None else 4
    limiting.until(lambda: limiting.statuses_of(ids) == ["running"] * running + ["queued"] * (6 - running))


def test_a_limit_that_is_lowered_lets_nobody_in_until_there_is_room(limiting):
    ids = asking(limiting, 4)
    revise(limiting, ASKING.format(limit=1))
    limiting.until(lambda: limiting.plans.latest(process_id("asking"), fresh=True).process.latest == 2)
    limiting.workers[0].stop()
    limiting.workers.clear()
    limiting.worker()
    limiting.cancel(ids[0])
    limiting.publish(LIMITED.format(limit=1, agent="echo"))
    limiting.ended(limiting.start("limited"))
    assert limiting.statuses_of(ids) == ["cancelled", "running", "queued", "queued"]
    limiting.cancel(ids[1])
    limiting.until(lambda: limiting.statuses_of(ids) == ["cancelled", "cancelled", "running", "queued"])


def test_those_who_wait_for_an_archived_process_have_their_turn(limiting):
    ids = asking(limiting, 3)
    limiting.processes.archive(ArchiveProcess(process_id("asking")), limiting.cause)
    limiting.cancel(ids[0])
    limiting.until(lambda: limiting.statuses_of(ids) == ["cancelled", "running", "running"])


def test_one_that_undoes_what_it_did_runs_until_that_is_done(limiting):
    limiting.agent("slow", script="slow", delay="1h")
    limiting.publish(
        """
name: limited
max_running: 1
steps:
  - {id: work, agent: echo, message: hello, compensation: {agent: slow, message: undo, timeout: 300ms}}
  - {id: ask, type: human_approval, depends_on: work}
"""
    )
    limiting.worker()
    first, second = limiting.start("limited"), limiting.start("limited")
    limiting.until(lambda: limiting.count("ApprovalRequested") == 1)
    limiting.cancel(first)
    limiting.until(lambda: limiting.count("ApprovalRequested") == 2)
    assert [id for what, id in comings_and_goings(limiting)] == [first, second, first, first, second]
    assert limiting.topics(first)["CompensationFailed"] == 1


def test_children_wait_for_their_turn_and_their_parents_for_them(limiting):
    limiting.publish(LIMITED.format(limit=2, agent="slow"))
    limiting.publish(
        "name: parent\nsteps:\n" + "".join(f"  - {{id: c{n}, type: sub_process, process: limited}}\n" for n in range(6))
    )
    for _ in range(2):
        limiting.worker()
    ids = [limiting.start("parent") for _ in range(5)]
    assert {execution.status for execution in limiting.ended(*ids)} == {"completed"}
    assert limiting.count("ExecutionAdmitted") == limiting.count("ExecutionQueued") == 30
    assert limiting.left() == 0


def test_a_process_that_cannot_be_read_keeps_its_executions_waiting_and_no_others(limiting):
    ids = asking(limiting, 2, limit=1)
    limiting.publish(LIMITED.format(limit=1, agent="echo"))
    change = "update stored_events set topic = %s where originator_id = %s and originator_version = 2"
    limiting.rows(change, "FromTheFuture", process_id("asking"))
    worker = limiting.worker(lease=60)
    others = [limiting.start("limited") for _ in range(3)]
    assert {execution.status for execution in limiting.ended(*others)} == {"completed"}
    assert worker.alive
    limiting.rows(change, "ProcessPublished", process_id("asking"))
    limiting.cancel(ids[0])
    limiting.until(lambda: limiting.statuses_of(ids) == ["cancelled", "running"])


def test_an_execution_that_cannot_be_read_keeps_its_place(limiting):
    limiting.publish(LIMITED.format(limit=1, agent="echo"))
    broken, behind = limiting.start("limited"), limiting.start("limited")
    change = "update stored_events set topic = %s where originator_id = %s and originator_version = 2"
    limiting.rows(change, "FromTheFuture", broken)
    limiting.publish(ASKING.format(limit=1))
    worker = limiting.worker(lease=60)
    other = limiting.start("asking")
    limiting.until(lambda: limiting.state(other).status == "running")
    assert limiting.state(behind).status == "queued"
    assert worker.alive
    limiting.rows(change, "ExecutionQueued", broken)
    assert {execution.status for execution in limiting.ended(broken, behind)} == {"completed"}


@pytest.mark.parametrize("source", ["name: asking\nsteps: [{id: ask, type: human_approval}]\n", ASKING.format(limit=9)])
def test_what_is_started_while_a_process_is_paused_waits_in_order(limiting, source):
    id = limiting.publish(source)
    limiting.worker()
    running = limiting.start("asking")
    limiting.until(lambda: limiting.count("ApprovalRequested") == 1)
    pauses = limiting.process_pauses
    pauses.pause(PauseProcess(id, "broken"), limiting.cause)
    waiting = [limiting.start("asking") for _ in range(3)]
    limiting.publish(LIMITED.format(limit=1, agent="echo"))
    limiting.ended(limiting.start("limited"))

    assert limiting.statuses_of([running, *waiting]) == ["running", "queued", "queued", "queued"]
    limiting.cancel(waiting[1])
    pauses.resume(ResumeProcess(id, "mended"), limiting.cause)
    limiting.until(lambda: limiting.count("ApprovalRequested") == 3)

    assert limiting.statuses_of([running, *waiting]) == ["running", "running", "cancelled", "running"]
    admitted = [each for what, each in comings_and_goings(limiting) if what == "Admitted"]
    assert [each for each in admitted if each in waiting] == [waiting[0], waiting[2]]
    limiting.cancel(waiting[0])
    assert SLOTS.verify(limiting.datastore, lambda _done, _all: None).differing == 0


def test_a_pause_that_refuses_starts_refuses_them_at_once(limiting):
    id = limiting.publish(ASKING.format(limit=2))
    limiting.start("asking")
    pauses = limiting.process_pauses
    pauses.pause(PauseProcess(id, "broken", "refuse"), limiting.cause)

    with pytest.raises(Forbidden, match="refuses starts: broken") as refusal:
        limiting.start("asking")
    assert refusal.value.code == "process_paused"
    pauses.resume(ResumeProcess(id), limiting.cause)
    limiting.start("asking")
