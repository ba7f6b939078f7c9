"""What journeys share in which processes are killed: the installation, its people, its murderer and the coroner."""

import random
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2

from tests.waiting import patiently


def begin(site, processes):
    """API, careful agents that note each call in a file, the `processes` published, two workers; the API's address."""
    base = site.serve()
    agent = {"kind": "scripted", "script": "slow", "delay": "20ms", "record": str(site.directory / "calls")}
    site.put("/api/agents/careful", agent)
    site.put("/api/agents/flaky", {**agent, "script": "flaky", "failures": 1})
    site.put("/api/agents/broken", {**agent, "script": "fail"})
    for source in processes:
        site.publish(source)
    for name in ("worker-1", "worker-2"):
        site.launch(name, "work")
    return base


def post(site, path, body, key, *, refusals=(), actor="test"):
    """Ask until there is an answer, with the same key each time. refusals: statuses that are no mistake."""

    def ask():
        site.restart_ended()
        answer = site.tried(path, body, key, actor)
        if answer.status_code == 503:
            raise httpx2.TransportError(answer.text)
        return answer

    answer = patiently(ask, httpx2.TransportError)
    assert answer.is_success or answer.status_code in refusals, answer.text
    return answer


def kill_now_and_then(site, victims):
    """Kill one after the other, at moments nobody can foresee, until work has gone on past the last kill."""
    seed = time.time_ns()
    (site.directory / "seed").write_text(str(seed))
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


def wait_for(condition, seconds=240):
    """Return when `condition` holds, or after that time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.1)


def check_log(site):
    """No version of any stream is missing."""
    every_version = """select count(*) from (select originator_id from stored_events group by originator_id
      having max(originator_version) <> count(*)) as gap"""
    assert site.rows(every_version) == [(0,)]


def check_calls(site):
    """An agent was called again only where its worker was lost with the call in flight, and the log says so.

    Gives the calls, each once.
    """
    calls = Counter(Path(site.directory / "calls").read_text().split())
    reclaimed = Counter()
    for execution, state in site.rows(
        "select originator_id::text, convert_from(state, 'utf8')::json from stored_events where topic = 'StepReclaimed'"
    ):
        reclaimed[f"{execution}:{state['step']}:{state['attempt']}"] += 1
    assert {key: count for key, count in calls.items() if count > 1 + reclaimed[key]} == {}
    return set(calls)
