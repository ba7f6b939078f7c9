"""Whatever is killed, whenever: nothing is lost, nothing is doubled, every execution ends."""

import threading

import pytest

from tests.journeys.killing import begin, check_calls, check_log, kill_now_and_then, post, wait_for

EXECUTIONS = 200
PROCESS = """
name: killed
steps:
  - {id: a, agent: careful, message: "{{ input.n }}"}
  - {id: pause, type: timer, duration: 100ms, depends_on: a}
  - {id: b, agent: careful, message: "{{ steps.a.output }}", depends_on: pause}
  - {id: c, agent: flaky, message: "{{ steps.a.output }}", depends_on: a, retry: {max_attempts: 2, delay: 50ms}}
  - {id: d, agent: careful, message: "{{ steps.b.output }}{{ steps.c.output }}", depends_on: [b, c]}
outputs: {answer: "{{ steps.d.output }}"}
"""
STEPS = 5
CALLS = 5  # the flaky one fails the first time


def start_all(site, started):
    for n in range(EXECUTIONS):
        answer = post(site, "/api/processes/killed/executions", {"input": {"n": n}}, f"start-{n}").json()
        started.append(answer["execution_id"])


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "victims", [("worker-1", "worker-2", "api", "worker-1"), ("server", "worker-2", "server", "api")]
)
def test_every_execution_ends_once_whatever_is_killed(site, victims):
    started = []
    begin(site, [PROCESS])
    starting = threading.Thread(target=start_all, args=(site, started), daemon=True)
    starting.start()
    kill_now_and_then(site, victims)
    starting.join()
    completed = "select count(*) from stored_events where topic = 'ExecutionCompleted'"
    wait_for(lambda: site.rows(completed)[0][0] >= EXECUTIONS)

    assert len(set(started)) == EXECUTIONS
    topics = dict(site.rows("select topic, count(*) from stored_events group by topic"))
    assert topics["ExecutionStarted"] == topics["ExecutionCompleted"] == EXECUTIONS
    assert topics["StepScheduled"] == topics["StepStarted"] == EXECUTIONS * CALLS
    assert topics["StepCompleted"] == EXECUTIONS * STEPS
    for once in ("TimerStarted", "TimerFired", "StepFailed", "StepRetryScheduled"):
        assert topics[once] == EXECUTIONS
    assert not {"StepTimedOut", "StepCancelled", "ExecutionFailed", "ExecutionCancelled"} & topics.keys()
    assert site.rows("select count(*) from due_timers") == [(0,)]
    assert site.rows("select count(*) from due_steps") == [(0,)]
    check_log(site)
    assert len(check_calls(site)) == EXECUTIONS * CALLS
