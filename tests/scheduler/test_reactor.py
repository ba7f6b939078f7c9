"""Executions that call others, on real workers: who is told what, by whom, and after whose death."""

import pytest

from commands.approvals import DecideApproval
from domain.identity import child_id, process_id

CALLER = """
name: caller
steps:
  - {id: first, agent: echo, message: hello}
  - {id: call, type: sub_process, process: callee, depends_on: first, input_mapping: {n: "{{ input.n }}"}}
  - {id: last, agent: echo, message: "{{ steps.call.output.answer }}!", depends_on: call}
outputs: {said: "{{ steps.last.output }}"}
"""
CALLEE = """
name: callee
steps: [{id: work, agent: echo, message: "{{ input.n }}"}]
outputs: {answer: "{{ steps.work.output }}"}
"""
AT_ONCE = "name: at-once\nsteps: [{id: call, type: sub_process, process: callee, input_mapping: {n: 1}}]\n"
ASKING = "name: callee\nsteps: [{id: ask, type: human_approval, approvers: [test]}]\n"
FAILING = "name: callee\nsteps: [{id: work, agent: bad, message: hello}]\n"
IN_OTHER_HANDS = "update outbox set claimed_until = now() + interval '1 hour'"
OWNER_DIED = "update outbox set claimed_until = now() - interval '1 second' where claimed_until is not null"


@pytest.fixture
def calling(installation):
    """A process that calls another between two steps of its own."""
    installation.agent("echo", script="echo")
    installation.publish(CALLEE)
    installation.publish(CALLER)
    installation.publish(AT_ONCE)
    return installation


def statuses(installation, *ids):
    return {execution.status for execution in installation.ended(*ids)}


def test_a_parent_goes_on_with_what_its_child_answered(calling):
    calling.worker()
    id = calling.start("caller", n=7)
    assert statuses(calling, id) == {"completed"}
    assert calling.log.stream(id)[-1].outputs == {"said": "7!"}
    (child,) = calling.ended(child_id(id, "call", 1))
    assert (child.parent.execution_id, child.parent.step, child.parent.attempt) == (id, "call", 1)
    assert calling.left() == 0


def test_a_child_that_a_command_asks_for_is_started_by_a_worker_that_is_told(calling):
    calling.worker(lease=3600)
    ids = [calling.start("at-once") for _ in range(5)]
    assert statuses(calling, *ids) == {"completed"}
    started = [calling.log.stream(child_id(id, "call", 1))[0] for id in ids]
    assert all(event.actor.startswith("worker:") for event in started)
    assert calling.left() == 0


def test_two_workers_share_a_crowd_of_families_and_nobody_is_born_twice(calling, tmp_path):
    record = tmp_path / "calls"
    calling.agent("echo", script="echo", record=str(record))
    for _ in range(2):
        calling.worker(max_open=4)
    ids = [calling.start("caller", n=n) for n in range(40)]
    assert statuses(calling, *ids) == {"completed"}
    children = [child_id(id, "call", 1) for id in ids]
    assert statuses(calling, *children) == {"completed"}
    assert calling.count("ExecutionStarted") == 80
    calls = record.read_text().split()
    assert len(calls) == len(set(calls)) == 120
    assert len({calling.log.stream(child)[0].actor for child in children}) == 2
    assert calling.left() == 0


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_child_that_ends_badly_fails_the_step_that_waits(calling, how):
    calling.agent("bad", script="fail")
    source = FAILING if how == "failed" else ASKING
    installed = calling.publish(source.replace("callee", "other"))
    assert installed == process_id("other")
    calling.publish(AT_ONCE.replace("callee", "other").replace("at-once", "badly"))
    calling.worker()
    id = calling.start("badly")
    child = child_id(id, "call", 1)
    if how == "cancelled":
        calling.until(lambda: calling.count("ApprovalRequested") == 1)
        calling.cancel(child)
    assert statuses(calling, id) == {"failed"}
    assert calling.state(id).steps["call"].error.code == f"child_{how}"
    assert calling.left() == 0


def test_a_child_that_waits_for_people_keeps_its_parent_waiting_while_workers_come_and_go(calling):
    calling.publish(ASKING.replace("callee", "asking"))
    calling.publish(AT_ONCE.replace("callee", "asking").replace("at-once", "patient"))
    for _ in range(2):
        worker = calling.worker()
        if calling.count("ExecutionStarted") == 0:
            id = calling.start("patient")
        calling.until(lambda: calling.count("ApprovalRequested") == 1 and calling.left("outbox") == 0)
        worker.stop()
        calling.workers.remove(worker)
    child = child_id(id, "call", 1)
    assert [calling.state(each).steps[step].status for each, step in ((id, "call"), (child, "ask"))] == ["waiting"] * 2
    calling.approvals.decide(DecideApproval(f"{child}:ask:1", "granted"), calling.cause)
    assert calling.state(id).steps["call"].status == "waiting"
    calling.worker()
    assert statuses(calling, id, child) == {"completed"}
    assert calling.left() == 0


def test_what_a_dead_worker_had_in_hand_is_taken_over_and_not_before(calling):
    lost = [calling.start("at-once") for _ in range(3)]
    calling.rows(IN_OTHER_HANDS)
    calling.worker()
    assert statuses(calling, calling.start("at-once")) == {"completed"}
    assert calling.left("outbox") == 3
    assert [calling.topics(id)["SubProcessStarted"] for id in lost] == [1, 1, 1]
    calling.rows(OWNER_DIED)
    assert statuses(calling, *lost) == {"completed"}
    assert calling.count("ExecutionStarted") == 8
    assert calling.left() == 0


def test_the_end_that_a_dead_worker_had_in_hand_reaches_the_parent(calling):
    id = calling.start("at-once")
    worker = calling.worker()
    calling.ended(id)
    worker.stop()
    calling.workers.remove(worker)
    # As if the worker had died between the end of the child and what follows from it.
    child = child_id(id, "call", 1)
    end = len(calling.log.stream(child))
    calling.rows("delete from stored_events where originator_id = %s and originator_version > 2", id)
    calling.rows("insert into outbox (source, version, recipient) values (%s, %s, %s)", child, end, id)
    calling.rows(IN_OTHER_HANDS)
    calling.rows(OWNER_DIED)
    assert calling.state(id).status == "running"
    calling.worker()
    assert statuses(calling, id) == {"completed"}
    assert calling.left() == 0


def test_a_child_is_called_off_only_after_it_was_called(calling):
    id = calling.start("at-once")
    calling.rows(IN_OTHER_HANDS)
    calling.cancel(id)
    calling.worker()
    assert statuses(calling, calling.start("at-once")) == {"completed"}
    child = child_id(id, "call", 1)
    assert calling.topics(child) == {}
    assert calling.left("outbox") == 2
    calling.rows(OWNER_DIED)
    calling.until(lambda: calling.left() == 0)
    assert (calling.state(id).status, calling.state(child).status) == ("cancelled", "cancelled")


def test_two_workers_that_have_the_same_message_in_hand_handle_it_once(calling):
    ids = [calling.start("caller", n=n) for n in range(30)]
    for _ in range(2):
        calling.worker(lease=60)

    def taken_again_and_again():
        calling.rows("update outbox set claimed_until = null")
        return calling.left() == 0

    calling.until(taken_again_and_again)
    assert statuses(calling, *ids) == {"completed"}
    assert calling.count("ExecutionStarted") == 60
    assert calling.count("ExecutionCompleted") == 60


def test_a_child_whose_process_cannot_be_read_is_left_to_others_and_keeps_nobody_waiting(calling):
    calling.publish(CALLEE.replace("callee", "newer"))
    calling.publish(AT_ONCE.replace("callee", "newer").replace("at-once", "ahead"))
    id = calling.start("ahead")
    change = "update stored_events set topic = %s where originator_id = %s and originator_version = 2"
    calling.rows(change, "FromTheFuture", process_id("newer"))
    worker = calling.worker(lease=60)
    assert statuses(calling, calling.start("at-once")) == {"completed"}
    assert worker.alive
    assert calling.left("outbox") == 1
    calling.rows(change, "ProcessPublished", process_id("newer"))
    calling.rows("update outbox set claimed_until = null")
    assert statuses(calling, id) == {"completed"}


def test_a_message_that_nobody_needs_any_more_is_struck_off(calling):
    calling.worker()
    id = calling.start("at-once")
    calling.ended(id)
    stream = calling.log.stream(id)
    asked = next(n for n, event in enumerate(stream, 1) if type(event).__name__ == "SubProcessStarted")
    calling.rows(
        "insert into outbox (source, version, recipient) values (%s, %s, %s)", id, asked, child_id(id, "call", 1)
    )
    calling.until(lambda: calling.left() == 0)
    assert calling.count("ExecutionStarted") == 2
