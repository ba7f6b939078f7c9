"""Whatever is killed, whenever: nothing is lost, nothing is doubled, every execution ends."""

import random
import socket
import threading
import time
from collections import Counter

import httpx2
import pytest

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


@pytest.fixture
def killable(site):
    """API and two workers, a careful agent that notes each call in a file, and its process published."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site.base = f"http://127.0.0.1:{port}"
    site.launch("api", "serve", "--port", str(port))
    site.ready()
    agent = {"kind": "scripted", "script": "slow", "delay": "20ms", "record": str(site.directory / "calls")}
    put(site, "/api/agents/careful", agent)
    put(site, "/api/agents/flaky", {**agent, "script": "flaky", "failures": 1})
    process = post(site, "/api/processes", {"definition": PROCESS}, "draft")
    post(site, f"/api/processes/{process['process_id']}/publish", {}, "publish")
    for name in ("worker-1", "worker-2"):
        site.launch(name, "work")
    return site


def put(site, path, body):
    httpx2.put(f"{site.base}{path}", json=body).raise_for_status()


def post(site, path, body, key):
    """Ask until there is an answer, with the same key each time."""

    def ask():
        answer = httpx2.post(f"{site.base}{path}", json=body, headers={"Idempotency-Key": key}, timeout=10)
        if answer.status_code == 503:
            raise httpx2.TransportError(answer.text)
        return answer

    return site.patiently(ask, httpx2.TransportError).raise_for_status().json()


def start_all(site, started):
    for n in range(EXECUTIONS):
        answer = post(site, "/api/processes/killed/executions", {"input": {"n": n}}, f"start-{n}")
        started.append(answer["execution_id"])


def kill_now_and_then(site, victims, seed):
    """Kill one after the other, at moments nobody can foresee, until work has gone on past the last kill."""
    chance = random.Random(seed)
    for victim in victims:
        wait = threading.Event()
        wait.wait(chance.uniform(0.2, 0.8))
        if victim == "server":
            site.kill_server()
        else:
            site.kill(victim)
            wait.wait(chance.uniform(0, 0.2))
            site.restart(victim)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "victims", [("worker-1", "worker-2", "api", "worker-1"), ("server", "worker-2", "server", "api")]
)
def test_every_execution_ends_once_whatever_is_killed(killable, victims):
    site, started, seed = killable, [], time.time_ns()
    (site.directory / "seed").write_text(str(seed))
    starting = threading.Thread(target=start_all, args=(site, started), daemon=True)
    starting.start()
    kill_now_and_then(site, victims, seed)
    starting.join()

    running = "select count(*) from stored_events where topic = 'ExecutionCompleted'"
    deadline = time.monotonic() + 60
    while site.rows(running)[0][0] < EXECUTIONS and time.monotonic() < deadline:
        threading.Event().wait(0.1)

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
    every_version = """select count(*) from (select originator_id from stored_events group by originator_id
      having max(originator_version) <> count(*)) as gap"""
    assert site.rows(every_version) == [(0,)]
    check_calls(site)


def check_calls(site):
    """An agent was called again only where its worker was lost with the call in flight, and the log says so."""
    calls = Counter((site.directory / "calls").read_text().split())
    reclaimed = Counter()
    for execution, state in site.rows(
        "select originator_id::text, convert_from(state, 'utf8')::json from stored_events where topic = 'StepReclaimed'"
    ):
        reclaimed[f"{execution}:{state['step']}:{state['attempt']}"] += 1
    assert len(calls) == EXECUTIONS * CALLS
    assert {key: count for key, count in calls.items() if count > 1 + reclaimed[key]} == {}
