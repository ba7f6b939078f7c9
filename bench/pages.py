"""Pages while many executions are listed, and the time from the commit of an event to the page that shows it."""

import json
import re
import time
from collections.abc import Iterator
from statistics import median, quantiles

import httpx2

from app.wiring import operator
from bench.engine import PROJECTOR
from bench.http_load import free_port, wait_ready
from bench.rig import Rig, children
from bench.workloads import WORKLOADS
from commands.executions import CancelExecution, StartExecution
from domain.identity import process_id
from queries.executions import ExecutionFilter, list_executions

PATHS = {
    "overview": "/",
    "executions": "/executions",
    "executions_filtered": "/executions?status=failed&process=bench-sequential",
    "execution": "/executions/{id}",
    "step": "/executions/{id}?step=s0",
    "approvals": "/approvals",
    "timers": "/operations/timers",
}
WARM = 5


def pages(rig: Rig, executions: int, requests: int, events: int) -> dict[str, float]:
    """Return p95 in ms of each page with `executions` listed, one request at a time, and p95 from commit to page.

    requests: of each page. events: committed one by one; each is waited for on the event stream, then on the page.
    """
    rig.start("w1", executions)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with children(rig.dsn, [PROJECTOR]):
        rig.wait_projected()
    with children(rig.dsn, [("serve", "--port", str(port)), PROJECTOR]):
        wait_ready(base)
        some = list_executions(rig.reading, ExecutionFilter(), limit=200).items
        found: dict[str, float] = {}
        with httpx2.Client(base_url=base, timeout=60) as client:
            for name, path in PATHS.items():
                times = [_timed(client, path.format(id=some[n % len(some)].execution_id)) for n in range(requests)]
                found[f"{name}_p95_ms"] = _p95(times[WARM:])
            shown = [_shown(rig, base, client) for _ in range(events)]
        return found | {"event_p50_ms": median(shown), "event_p95_ms": _p95(shown)}


def _timed(client: httpx2.Client, path: str) -> float:
    begun = time.perf_counter()
    client.get(path).raise_for_status()
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
