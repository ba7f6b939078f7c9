"""Starts over HTTP on one API process, and a list query while W1 runs."""

import asyncio
import socket
import time
from statistics import median, quantiles

import httpx2

from bench.engine import PROJECTOR, WORKER
from bench.rig import Rig, children
from bench.workloads import WORKLOADS

CONNECTIONS = 64
REQUEST = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


def starts(rig: Rig, total: int) -> dict[str, float]:
    """Return executions started a second over HTTP by 64 connections on one API process, with no worker running."""
    port = free_port()
    with children(rig.dsn, [("serve", "--port", str(port))]) as (api,):
        wait_ready(f"http://127.0.0.1:{port}")
        figures = rate_of_starts(port, WORKLOADS["w1"].name, total)
        return {**figures, "api_peak_mib": api.peak_mib()}


def rate_of_starts(port: int, process: str, total: int) -> dict[str, float]:
    """Return executions of a process started a second by 64 connections to an API that is ready."""
    path = f"/api/processes/{process}/executions"
    asyncio.run(_post_many(port, path, 200))
    begun = time.perf_counter()
    times = asyncio.run(_post_many(port, path, total))
    rate = total / (time.perf_counter() - begun)
    return {"starts_per_s": rate, "start_p50_ms": median(times), "start_p99_ms": quantiles(times, n=100)[98]}


def list_while_busy(rig: Rig, executions: int) -> dict[str, float]:
    """Return p50 and p99, in ms, of listing 50 executions while W1 runs."""
    port = free_port()
    times: list[float] = []
    with children(rig.dsn, [("serve", "--port", str(port)), WORKER, PROJECTOR]):
        base = f"http://127.0.0.1:{port}"
        wait_ready(base)
        rig.start("w1", executions)
        with httpx2.Client() as client:
            while rig.busy():
                begun = time.perf_counter()
                client.get(f"{base}/api/executions?limit=50&status=completed").raise_for_status()
                times.append((time.perf_counter() - begun) * 1e3)
    return {"queries": len(times), "p50_ms": median(times), "p99_ms": quantiles(times, n=100)[98]}


async def _post_many(port: int, path: str, total: int) -> list[float]:
    """Return the times in ms of `total` posts over CONNECTIONS connections kept alive.

    Uses asyncio's streams directly: a full client costs more than the measured server, on the same two cores.
    """
    left = iter(range(total))
    times: list[float] = []

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for n in left:
            body = b'{"input": {"n": %d}}' % n
            begun = time.perf_counter()
            writer.write(REQUEST % (path.encode(), len(body), body))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 202"):
                raise RuntimeError(f"a start was answered {head.splitlines()[0]!r}")
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            times.append((time.perf_counter() - begun) * 1e3)
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))
    return times


def free_port() -> int:
    """Return a free TCP port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_ready(base: str) -> None:
    """Return once the server at `base` is ready. Raises the last error after two minutes."""
    deadline = time.monotonic() + 120
    while True:
        try:
            if httpx2.get(f"{base}/health/ready").status_code == 200:
                return
        except httpx2.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
