"""Pages while many executions are listed, and the time from the commit of an event to the page that shows it."""

import json
import re
import time
from collections.abc import Iterator
from statistics import median, quantiles

import httpx2

from app.wiring import operator
from bench.engine import PROJECTOR, WORKER
from bench.http_load import free_port, wait_ready
from bench.needs import publish_needs, record_needs, start_costly
from bench.rig import Rig, children, now
from bench.workloads import WORKLOADS
from commands.executions import CancelExecution, StartExecution
from domain.agents.calls import StepError
from domain.executions.decisions.execution import cancel_execution, fail_execution, start_execution
from domain.executions.events.execution import Trigger
from domain.identity import new_id, process_id
from domain.processes.plan import Plan
from queries.executions import ExecutionFilter, list_executions
from store.unit import Unit

PATHS = {
    "overview": "/",
    "executions": "/executions",
    "executions_filtered": "/executions?status=failed&process=bench-sequential",
    "search": "/executions?q={end}",
    "execution": "/executions/{id}",
    "step": "/executions/{id}?step=s0",
    "approvals": "/approvals",
    "timers": "/operations/timers",
    "processes": "/processes",
    "operations": "/operations",
}
WARM = 5
RUN = 400
APPENDED = 500
QUIET_SECONDS = 0.3
"""Longer than the pause between two readings of a stream: the next change is the first of a quiet page."""


def pages(rig: Rig, executions: int, requests: int, events: int) -> dict[str, float]:
    """Return what `measured` returns, with `executions` listed."""
    fill(rig, executions)
    with children(rig.dsn, [PROJECTOR]):
        rig.wait_projected()
    return measured(rig, requests, events)


def measured(rig: Rig, requests: int, events: int) -> dict[str, float]:
    """Return p50 and p95 in ms of each page, one request at a time, and from the commit of an event to its page.

    cpu: ms of the server's process a page, database_cpu: of PostgreSQL; other work on the machine changes them less.
    requests: of each page. events: committed one by one; each is waited for on the event stream, then on the page.
    """
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with children(rig.dsn, [("serve", "--port", str(port)), PROJECTOR]) as (server, _):
        wait_ready(base)
        ended = list_executions(rig.reading, ExecutionFilter(statuses=["completed"]), limit=200).items
        ids = [str(ended[n % len(ended)].execution_id) for n in range(requests)]
        found: dict[str, float] = {}
        with httpx2.Client(base_url=base, timeout=60) as client:
            for name, path in PATHS.items():
                addresses = [path.format(id=id, end=id[-8:]) for id in ids]
                for address in addresses[:WARM]:
                    _timed(client, address)
                before, database = server.cpu_seconds(), sum(rig.server_cpu_seconds().values())
                times = [_timed(client, address) for address in addresses]
                found[f"{name}_p50_ms"], found[f"{name}_p95_ms"] = median(times), _p95(times)
                found[f"{name}_cpu_ms"] = (server.cpu_seconds() - before) / requests * 1e3
                spent = sum(rig.server_cpu_seconds().values()) - database
                found[f"{name}_database_cpu_ms"] = spent / requests * 1e3
            shown = [_shown(rig, base, client) for _ in range(events)]
        return found | {"event_p50_ms": median(shown), "event_p95_ms": _p95(shown)}


def fill(rig: Rig, executions: int) -> None:
    """Record executions as an installation has them after a while: the first RUN run to their end.

    Of a hundred others one is under way, two have failed, and the rest were cancelled. Then what needs a person.
    """
    publish_needs(rig)
    with children(rig.dsn, [WORKER]):
        rig.start("w1", min(RUN, executions))
        start_costly(rig)
        rig.wait_idle()
    plan, _ = rig.plans.startable(process_id(WORKLOADS["w1"].name), None)
    for begin in range(RUN, executions, APPENDED):
        rig.log.append_all([_ended(plan, number) for number in range(begin, min(begin + APPENDED, executions))])
    record_needs(rig)


def _ended(plan: Plan, number: int) -> Unit:
    id, cause = new_id(), now()
    started = start_execution(id, plan, {"n": 1}, Trigger(), cause)
    if number % 100 == 0:
        return Unit(id, 0, started.events, process_id=plan.process_id)
    if number % 50 == 1:
        ended = fail_execution(started.execution, StepError("agent_error", "the agent is away"), cause)
    else:
        ended = cancel_execution(started.execution, "no longer needed", cause)
    return Unit(id, 0, [*started.events, *ended.events], process_id=plan.process_id)


def _timed(client: httpx2.Client, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    if answer.is_error:
        answer.raise_for_status()
    return (time.perf_counter() - begun) * 1e3


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[18]


def _shown(rig: Rig, base: str, client: httpx2.Client) -> float:
    """Return the ms from the commit of a cancellation to the page that shows it, as an open page requests it."""
    command = StartExecution(process_id(WORKLOADS["w1"].name), {"n": 1})
    started = rig.executions.start(command, operator("bench:pages"))
    path = f"/executions/{started.stream}"
    client.get(path, params={"min_position": started.position}).raise_for_status()
    with httpx2.Client(base_url=base, timeout=60) as listener, listener.stream("GET", "/api/stream") as stream:
        positions = _positions(stream)
        next(positions)
        time.sleep(QUIET_SECONDS)
        rig.executions.cancel(CancelExecution(started.stream, "bench"), operator("bench:pages"))
        begun = time.perf_counter()
        for _ in positions:
            if re.search("Cancelled", client.get(path).raise_for_status().text):
                break
        return (time.perf_counter() - begun) * 1e3


def _positions(stream: httpx2.Response) -> Iterator[int]:
    for line in stream.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line[5:])["position"]
