"""Whatever is killed, whenever: executions that call others, ask people and undo what they did all end, once."""

import random
import threading
from collections import Counter, defaultdict
from datetime import datetime

import pytest

from tests.journeys.killing import begin, check_calls, check_log, kill_now_and_then, post, wait_for

EXECUTIONS = 60
MAX_RUNNING = 8
FATES = {
    "completed": "ExecutionCompleted",
    "failed": "ExecutionFailed",
    "cancelled": "ExecutionCancelled",
    "refused": "ExecutionFailed",
}
ENDS = frozenset(FATES.values())
PACKING = f"""
name: packing
max_running: {MAX_RUNNING}
steps:
  - {{id: wait, type: timer, duration: 50ms}}
  - {{id: pack, agent: flaky, message: pack, depends_on: wait, retry: {{max_attempts: 2, delay: 50ms}}}}
"""
CHECKING = """
name: checking
steps:
  - {id: look, agent: careful, message: look, compensation: {agent: careful, message: look away}}
  - {id: ask, type: human_approval, depends_on: look, approvers: [ann], title: "{{ input.fate }}"}
  - {id: pack, type: sub_process, process: packing, depends_on: look}
outputs: {by: "{{ steps.ask.output.by }}"}
"""
ORDER = """
name: order
steps:
  - {id: take, agent: careful, message: take, compensation: {agent: careful, message: give back}}
  - {id: check, type: sub_process, process: checking, depends_on: take, input_mapping: {fate: "{{ input.fate }}"}}
  - {id: aside, type: sub_process, process: packing, depends_on: take, wait: false, on_parent_close: abandon}
  - id: bill
    agent: careful
    message: "checked by {{ steps.check.output.by }}"
    depends_on: check
    compensation: {agent: flaky, message: pay back, retry: {max_attempts: 2, delay: 50ms}}
  - {id: fail, agent: broken, message: fail, depends_on: bill, condition: input.fate == 'failed'}
  - {id: hold, type: timer, duration: 1h, depends_on: bill, condition: input.fate == 'cancelled'}
outputs: {billed: "{{ steps.bill.output }}"}
"""
UNDOABLE = {("order", "take"), ("order", "bill"), ("checking", "look")}
LEFT = "select count(*) from " + "({}) as kept".format(
    " union all ".join(f"select 1 as n from {name}" for name in ("due_steps", "due_timers", "outbox", "admissions"))
)
GOING_ON = """select count(*) filter (where topic = 'ExecutionStarted') - count(*) filter (where topic in
  ('ExecutionCompleted', 'ExecutionFailed', 'ExecutionCancelled')) from stored_events"""
HISTORY = """select originator_id::text, topic, convert_from(state, 'utf8')::json from stored_events
  where originator_id in (select originator_id from stored_events where topic = 'ExecutionStarted')
  order by notification_id"""
ASKED = "select convert_from(state, 'utf8')::json from stored_events where topic = 'ApprovalRequested'"


def customers(site, fates):
    """Start all executions, and call off some of them a while later."""
    for n in range(EXECUTIONS):
        fate = list(FATES)[n % len(FATES)]
        answer = post(site, "/api/processes/order/executions", {"input": {"fate": fate}}, f"start-{n}").json()
        fates[answer["execution_id"]] = fate
    late = [id for id, fate in fates.items() if fate == "cancelled"]
    random.Random(EXECUTIONS).shuffle(late)
    for id in late:
        post(site, f"/api/executions/{id}/cancel", {"reason": "changed my mind"}, f"cancel-{id}")


def ann(site, over):
    """Decide what she is asked as it comes, each thing twice with the same key, until all is over."""
    decided = set()
    while not over.wait(0.1):
        for (asked,) in site.rows(ASKED):
            id = asked["approval_id"]
            if id in decided:
                continue
            verdict = "reject" if asked["title"] == "refused" else "approve"
            # 409: the order was called off meanwhile.
            answers = [
                post(site, f"/api/approvals/{id}/{verdict}", {}, f"decide-{id}", refusals=(409,), actor="ann")
                for _ in range(2)
            ]
            assert len({answer.status_code for answer in answers}) == 1
            decided.add(id)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "victims", [("worker-1", "worker-2", "api", "worker-1"), ("server", "worker-2", "server", "api")]
)
def test_every_family_ends_as_it_has_to_whatever_is_killed(site, victims):
    fates, over = {}, threading.Event()
    begin(site, [PACKING, CHECKING, ORDER])
    people = [
        threading.Thread(target=customers, args=(site, fates), daemon=True),
        threading.Thread(target=ann, args=(site, over), daemon=True),
    ]
    for each in people:
        each.start()
    kill_now_and_then(site, victims)
    people[0].join()
    wait_for(lambda: site.rows(GOING_ON) == [(0,)] and site.rows(LEFT) == [(0,)])
    over.set()
    people[1].join()

    assert (site.rows(GOING_ON), site.rows(LEFT)) == ([(0,)], [(0,)])
    check_log(site)
    histories = defaultdict(list)
    for id, topic, event in site.rows(HISTORY):
        histories[id].append((topic, event))
    assert len(fates) == EXECUTIONS
    check_ends(histories, fates)
    check_attempts(histories, check_calls(site))
    check_children(histories)
    for history in histories.values():
        check_undoing(history)
    check_running(site)
    assert site.run("projections", "verify") == 0, site.words()


def check_ends(histories, fates):
    """Each ended once, orders as they had to; after that nothing happened but late answers."""
    for id, history in histories.items():
        ends = [topic for topic, _ in history if topic in ENDS]
        assert len(ends) == 1
        after = history[[topic for topic, _ in history].index(ends[0]) + 1 :]
        assert {topic for topic, _ in after} <= {"CostRecorded", "StepAnswerIgnored"}
        if id in fates:
            assert ends == [FATES[fates[id]]]


def check_attempts(histories, calls):
    """What may happen once did; agents were called for attempts that began, for all but some that were cancelled."""
    begun, cancelled = set(), set()
    for id, history in histories.items():
        happened = Counter()
        for topic, event in history:
            if "step" in event and topic not in ("StepReclaimed", "ExecutionFailed", "CompensationRequired"):
                happened[topic, event["step"], event.get("attempt")] += 1
            if topic in ("StepStarted", "StepCancelled"):
                attempts = begun if topic == "StepStarted" else cancelled
                attempts.add(f"{id}:{event['step']}:{event['attempt']}")
        assert {what: times for what, times in happened.items() if times > 1} == {}
    assert begun - cancelled <= calls <= begun


def check_children(histories):
    """One child of each attempt that asked for one, and no other."""
    asked, born = {}, {}
    for id, history in histories.items():
        for topic, event in history:
            if topic == "SubProcessStarted":
                asked[event["child"]] = id, event["step"], event["attempt"]
        parent = history[0][1].get("parent")
        if parent is not None:
            born[id] = parent["execution_id"], parent["step"], parent["attempt"]
    assert asked == born
    assert len(set(born.values())) == len(born)


def check_undoing(history):
    """What had been done was undone, the last of it first, and to the end; nothing was where all went well."""
    process = history[0][1]["process"]
    done, required, undone, ends = [], False, [], []
    for topic, event in history:
        required = required or topic == "CompensationRequired"
        if topic == "StepCompleted" and (process, event["step"]) in UNDOABLE:
            done.append(event["step"])
        elif topic == "CompensationStarted":
            undone.append(event["step"])
        elif topic == "CompensationCompleted":
            ends.append(event["step"])
        assert topic != "CompensationFailed"
    well = any(topic == "ExecutionCompleted" for topic, _ in history)
    expected = [] if well else done[::-1]
    assert undone == ends == expected
    assert required == bool(expected)


def check_running(site):
    """Of the process with a limit, never more ran at once, and none began before one that came earlier.

    Two workers queue at once: the order of their clocks is that of the line, and the log may have another. Who came
    earlier by both begins earlier.
    """
    queued, admitted, running = {}, [], set()
    for place, (id, topic, event) in enumerate(site.rows(HISTORY)):
        if topic == "ExecutionQueued":
            queued[id] = datetime.fromisoformat(event["at"]), place
        elif topic == "ExecutionAdmitted":
            admitted.append(id)
            running.add(id)
            assert len(running) <= MAX_RUNNING
        elif topic in ENDS:
            running.discard(id)
    for first, (at, place) in enumerate(map(queued.get, admitted)):
        overtaken = [id for id in admitted[first + 1 :] if queued[id][0] < at and queued[id][1] < place]
        assert overtaken == [], admitted[first]
    assert len(admitted) >= EXECUTIONS
