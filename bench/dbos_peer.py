"""W1, W2, W4 and timers on DBOS, on the same server with the same durability; run as a program, prints one JSON object.

Needs the extra `bench`. Each workload is written in the way that was fastest here, with the best number of threads;
steps return 190 letters.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles

from dbos import DBOS

STEPS = 10
CHILD_STEPS = 3
PARENT_THREADS = 4, 6, 8  # fewer and more were slower
ANSWER = {"text": "x" * 190}


@DBOS.step()
def step(_n: int) -> dict[str, str]:
    """Run one durable no-op step."""
    return ANSWER


@DBOS.step()
async def parallel_step(_n: int) -> dict[str, str]:
    """Run one durable no-op step, for ten at once."""
    return ANSWER


@DBOS.workflow()
def sequential() -> dict[str, str]:
    """Run W1."""
    answer = ANSWER
    for n in range(STEPS):
        answer = step(n)
    return answer


@DBOS.workflow()
async def parallel() -> dict[str, str]:
    """Run W2."""
    await asyncio.gather(*(parallel_step(n) for n in range(STEPS)))
    return await parallel_step(STEPS)


@DBOS.workflow()
def child() -> dict[str, str]:
    """Run the child of W4's parent."""
    answer = ANSWER
    for n in range(CHILD_STEPS):
        answer = step(n)
    return answer


@DBOS.workflow()
def parent() -> dict[str, str]:
    """Run W4's parent.

    A call runs the child as a workflow of its own on this thread; start_workflow and get_result were slower.
    """
    return child()


def w1(executions: int) -> float:
    """Return steps a second of `executions` sequential workflows."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        handles = list(pool.map(lambda _: DBOS.start_workflow(sequential), range(executions)))
        for handle in handles:
            handle.get_result()
    return executions * STEPS / (time.perf_counter() - begun)


def w2(executions: int) -> float:
    """Return steps a second of `executions` parallel workflows."""

    async def run() -> None:
        running = asyncio.Semaphore(16)

        async def one() -> None:
            async with running:
                handle = await DBOS.start_workflow_async(parallel)
                await handle.get_result()

        await asyncio.gather(*(one() for _ in range(executions)))

    begun = time.perf_counter()
    asyncio.run(run())
    return executions * (STEPS + 1) / (time.perf_counter() - begun)


def w4(executions: int, threads: int) -> float:
    """Return parents a second of `executions`, called by a number of threads; starts in the background were slower."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda _: parent(), range(executions)):
            pass
    return executions / (time.perf_counter() - begun)


@DBOS.workflow()
async def sleeper(due_at: float) -> float:
    """Sleep until `due_at`, in seconds since 1970. Returns the lateness in ms."""
    await DBOS.sleep_async(max(0.0, due_at - time.time()))
    return (time.time() - due_at) * 1e3


def timers(at_once: int, ahead: float) -> dict[str, float]:
    """Return the lateness, in ms, of `at_once` sleeps that end together, and of the last durable result.

    ahead: seconds from now to the end of the sleeps, enough to begin them all.
    """

    async def run() -> dict[str, float]:
        due_at = time.time() + ahead
        handles = [await DBOS.start_workflow_async(sleeper, due_at) for _ in range(at_once)]
        began = time.time()
        late = [await handle.get_result() for handle in handles]
        durable = (time.time() - due_at) * 1e3
        return {
            "timers_p50_ms": median(late),
            "timers_p99_ms": quantiles(late, n=100)[98],
            "timers_max_ms": max(late),
            "timers_durable_ms": durable,
            "timers_spare_s": due_at - began,
        }

    return asyncio.run(run())


def alone(workflow: Callable[[], object], runs: int) -> dict[str, float]:
    """Return p50 and p99, in ms, of one workflow alone, run directly."""
    times = []
    for run in range(runs + 3):
        begun = time.perf_counter()
        workflow()
        if run >= 3:
            times.append((time.perf_counter() - begun) * 1e3)
    return {"lone_p50_ms": median(times), "lone_p99_ms": quantiles(times, n=100)[98]}


def parents(executions: int) -> dict[str, float]:
    """Measure W4: one alone, and the rate of the best number of threads."""
    lone = {f"w4_{name}": value for name, value in alone(parent, 30).items()}
    rates = (median(w4(executions, threads) for _ in range(3)) for threads in PARENT_THREADS)
    return lone | {"w4_parents_per_s": max(rates)}


def main() -> None:
    """Run the requested part on the given database."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("--executions", type=int, default=100)
    arguments.add_argument("--timers", type=int, default=2_000)
    work: dict[str, Callable[[], dict[str, float]]] = {
        "timers": lambda: timers(given.timers, 5 + given.timers / 100),
        "lone": lambda: alone(sequential, 30),
        "w1": lambda: {"w1_steps_per_s": median(w1(given.executions) for _ in range(3))},
        "w2": lambda: {"w2_steps_per_s": median(w2(given.executions) for _ in range(3))},
        "w4": lambda: parents(given.executions),
    }
    arguments.add_argument("--only", nargs="+", choices=work, default=list(work))
    given = arguments.parse_args()
    DBOS(config={"name": "bench-peer", "system_database_url": given.url, "log_level": "ERROR"})
    DBOS.launch()
    figures = {name: value for part in given.only for name, value in work[part]().items()}
    DBOS.destroy()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
