"""Starts over HTTP on one API process, and a list query while W1 runs."""

import asyncio
import socket
import time
from statistics import median, quantiles

import httpx2

from bench.engine import PROJECTOR, WORKER
from bench.rig import Rig, children
from bench.workloads import NAMES

CONNECTIONS = 32


def starts(rig: Rig, total: int) -> dict[str, float]:
    """Executions started a second over HTTP by 32 connections on one API process; nobody runs them meanwhile."""
    port = free_port()
    with children(rig.dsn, [("serve", "--port", str(port))]) as (api,):
        base = f"http://127.0.0.1:{port}"
        _wait_ready(base)
        path = f"{base}/api/processes/{NAMES['w1'][0]}/executions"
        asyncio.run(_post_many(path, 200))
        begun = time.perf_counter()
        times = asyncio.run(_post_many(path, total))
        rate = total / (time.perf_counter() - begun)
        return {
            "starts_per_s": rate,
            "start_p50_ms": median(times),
            "start_p99_ms": quantiles(times, n=100)[98],
            "api_peak_mib": api.peak_mib(),
        }


def list_while_busy(rig: Rig, executions: int) -> dict[str, float]:
    """p50 and p99, in ms, of listing 50 executions while W1 runs."""
    port = free_port()
    times: list[float] = []
    with children(rig.dsn, [("serve", "--port", str(port)), WORKER, PROJECTOR]):
        base = f"http://127.0.0.1:{port}"
        _wait_ready(base)
        rig.start("w1", executions)
        with httpx2.Client() as client:
            while rig.busy():
                begun = time.perf_counter()
                client.get(f"{base}/api/executions?limit=50&status=completed").raise_for_status()
                times.append((time.perf_counter() - begun) * 1e3)
    return {"queries": len(times), "p50_ms": median(times), "p99_ms": quantiles(times, n=100)[98]}


async def _post_many(url: str, total: int) -> list[float]:
    left = iter(range(total))
    times: list[float] = []
    limits = httpx2.Limits(max_connections=CONNECTIONS)

    async with httpx2.AsyncClient(limits=limits, timeout=30) as client:

        async def one_connection() -> None:
            for n in left:
                begun = time.perf_counter()
                answer = await client.post(url, json={"input": {"n": n}})
                answer.raise_for_status()
                times.append((time.perf_counter() - begun) * 1e3)

        await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))
    return times


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_ready(base: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if httpx2.get(f"{base}/health/ready").status_code == 200:
                return
        except httpx2.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
