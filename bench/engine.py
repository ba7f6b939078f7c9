"""A workload at saturation, and one execution alone, with worker and projector in processes of their own."""

import time
from statistics import median, quantiles
from typing import Any
from uuid import UUID

import psycopg

from bench.rig import DEADLINE_SECONDS, Rig, children, now
from bench.workloads import WORKLOADS
from commands.executions import StartExecution
from domain.identity import process_id
from store.listening import LOG_CHANNEL

WORKER = ("work", "--no-projector")
PROJECTOR = ("work", "--only-projector")


def saturated(rig: Rig, workload: str, executions: int, rounds: int) -> dict[str, Any]:
    """Return the workload's units, steps or parents, a second with `executions` under way: median of `rounds`.

    Every projection runs; projected_…_per_s counts until the last has caught up with the round. cpu: ms a thousand
    units. Raises NotCompleted.
    """
    unit = WORKLOADS[workload].unit
    count = executions * WORKLOADS[workload].units
    rates, projected = [], []
    with children(rig.dsn, [WORKER, PROJECTOR]) as (worker, projector):
        rig.start(workload, 20)
        rig.wait_idle()
        rig.wait_projected()
        before = worker.cpu_seconds(), projector.cpu_seconds(), rig.server_cpu_seconds()
        for _ in range(rounds):
            begun = time.perf_counter()
            rig.start(workload, executions)
            rig.wait_idle()
            rates.append(count / (time.perf_counter() - begun))
            rig.wait_projected()
            projected.append(count / (time.perf_counter() - begun))
        server = sum(seconds - before[2].get(pid, 0) for pid, seconds in rig.server_cpu_seconds().items())
        thousands = count * rounds / 1000
        figures = {
            f"{unit}_per_s": median(rates),
            f"projected_{unit}_per_s": median(projected),
            f"worker_cpu_ms_per_1000_{unit}": (worker.cpu_seconds() - before[0]) / thousands * 1000,
            f"projector_cpu_ms_per_1000_{unit}": (projector.cpu_seconds() - before[1]) / thousands * 1000,
            f"server_cpu_ms_per_1000_{unit}": server / thousands * 1000,
            "worker_peak_mib": worker.peak_mib(),
            "projector_peak_mib": projector.peak_mib(),
        }
    rig.require_completed()
    return figures


def alone(rig: Rig, workload: str, runs: int) -> dict[str, float]:
    """Return p50 and p99, in ms, from the start command to the recorded end of one execution with nothing else running.

    Raises NotCompleted.
    """
    times = []
    with children(rig.dsn, [WORKER, PROJECTOR]), rig.datastore.connect() as ear:
        ear.execute(f"listen {LOG_CHANNEL}")
        for run in range(runs + 5):
            begun = time.perf_counter()
            command = StartExecution(process_id(WORKLOADS[workload].name), {"n": 1})
            id = rig.executions.start(command, now()).stream
            wait_for_end(ear, id)
            if run >= 5:
                times.append((time.perf_counter() - begun) * 1e3)
    rig.require_completed()
    return {"p50_ms": median(times), "p99_ms": quantiles(times, n=100)[98]}


def wait_for_end(ear: psycopg.Connection[Any], id: UUID) -> None:
    """Return when the execution has ended; `ear` listens to the log. Raises TimeoutError after five minutes."""
    ended = """select topic in ('ExecutionCompleted', 'ExecutionFailed', 'ExecutionCancelled') as ended
      from stored_events where originator_id = %s order by originator_version desc limit 1"""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        row = ear.execute(ended, (id,), prepare=True).fetchone()
        if row is not None and row["ended"]:
            return
        for _ in ear.notifies(timeout=5, stop_after=1):
            pass
    raise TimeoutError(f"waited {DEADLINE_SECONDS} s for one execution to end")
