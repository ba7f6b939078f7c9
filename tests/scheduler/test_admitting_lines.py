"""Executions that wait in lines of their key, by their priority, on real workers; and what goes on during a pause."""

from collections import Counter

from commands.process_pauses import PauseProcess, ResumeProcess
from domain.executions.decisions.approval import decide_approval
from store.lists.slots import SLOTS

KEYED = """
name: keyed
input: {{of: {{type: string, default: a}}, turn: {{type: integer, default: 0}}}}
max_running: {{limit: {limit}, per: "{{{{ input.of }}}}"}}
priority: "{{{{ input.turn }}}}"
steps: [{{id: work, {step}}}]
"""
LIMITED = "name: limited\nmax_running: 1\nsteps: [{id: work, agent: echo, message: hello}]\n"
ASKED = "type: human_approval"


def comings_and_goings(installation):
    """In the order of the log, of every execution: what happened to it, and which one it was."""
    query = """select topic, originator_id as id from stored_events where topic in ('ExecutionAdmitted',
    'ExecutionCompleted') order by notification_id"""
    return [(row["topic"].removeprefix("Execution"), row["id"]) for row in installation.rows(query)]


def test_slots_of_one_key_go_to_those_who_wait_for_that_key(limiting):
    limiting.publish(KEYED.format(limit=1, step=ASKED))
    first, second, third = (limiting.start("keyed", of=of) for of in "aab")
    limiting.worker()
    limiting.until(lambda: limiting.statuses_of([first, second, third]) == ["running", "queued", "running"])
    limiting.cancel(third)
    fourth = limiting.start("keyed", of="b")
    limiting.until(lambda: limiting.statuses_of([second, fourth]) == ["queued", "running"])
    limiting.cancel(first)
    limiting.until(lambda: limiting.statuses_of([second, fourth]) == ["running", "running"])


def test_those_of_a_higher_priority_begin_first(limiting):
    limiting.publish(KEYED.format(limit=1, step="agent: echo, message: hello"))
    ids = {turn: limiting.start("keyed", turn=turn) for turn in (0, -100, 7, 100)}
    limiting.worker()
    limiting.ended(*ids.values())
    admitted = [id for what, id in comings_and_goings(limiting) if what == "Admitted"]
    assert admitted == [ids[turn] for turn in (100, 7, 0, -100)]


def test_two_workers_let_in_no_more_of_a_key_than_may_run_whatever_their_priorities_are(limiting):
    limiting.publish(KEYED.format(limit=2, step="agent: slow, message: hello"))
    for _ in range(2):
        limiting.worker()
    ids = [limiting.start("keyed", of="ab"[n % 2], turn=(n * 37) % 201 - 100) for n in range(60)]
    limiting.ended(*ids)
    key = {id: "ab"[n % 2] for n, id in enumerate(ids)}
    running, most = Counter(), Counter()
    for what, id in comings_and_goings(limiting):
        running[key[id]] += {"Admitted": 1, "Completed": -1}.get(what, 0)
        most |= running
    assert most == {"a": 2, "b": 2}
    assert SLOTS.verify(limiting.datastore, lambda _done, _all: None).differing == 0
    assert limiting.rows("select * from slot_lines") == []


def test_a_child_begins_while_its_process_is_paused(limiting):
    id = limiting.publish(LIMITED)
    limiting.publish("name: parent\nsteps: [{id: c, type: sub_process, process: limited}]\n")
    limiting.process_pauses.pause(PauseProcess(id, "broken"), limiting.cause)
    held = [limiting.start("limited") for _ in range(2)]
    limiting.worker()
    assert [each.status for each in limiting.ended(limiting.start("parent"))] == ["completed"]
    assert limiting.statuses_of(held) == ["queued", "queued"]
    limiting.process_pauses.resume(ResumeProcess(id), limiting.cause)
    assert [each.status for each in limiting.ended(*held)] == ["completed", "completed"]


def test_timers_fire_while_their_process_is_paused(limiting):
    id = limiting.publish(
        "name: waiting\nsteps: [{id: ask, type: human_approval}, "
        "{id: nap, type: timer, duration: 200ms, depends_on: ask}]\n"
    )
    limiting.worker()
    waiting = limiting.start("waiting")
    limiting.until(lambda: limiting.count("ApprovalRequested") == 1)
    limiting.process_pauses.pause(PauseProcess(id, "broken"), limiting.cause)
    limiting.executions.decide(
        waiting, lambda execution: decide_approval(execution, "ask", 1, "user:ann", "granted", "", limiting.cause)
    )
    assert [each.status for each in limiting.ended(waiting)] == ["completed"]
    assert limiting.topics(waiting)["TimerFired"] == 1
    assert limiting.plans.latest(id, fresh=True).process.pause is not None
