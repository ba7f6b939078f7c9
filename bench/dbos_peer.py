"""W1, W2 and timers on DBOS, on the same server with the same durability; run as a program, prints one JSON object.

Needs the extra `bench`. Workflows are started by as many threads as serves them best here; steps return 190 letters.
"""

import argparse
import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles

from dbos import DBOS

STEPS = 10
ANSWER = {"text": "x" * 190}


@DBOS.step()
def step(_n: int) -> dict[str, str]:
    """One durable no-op step."""
    return ANSWER


@DBOS.step()
async def parallel_step(_n: int) -> dict[str, str]:
    """The same, for ten at once."""
    return ANSWER


@DBOS.workflow()
def sequential() -> dict[str, str]:
    """W1."""
    answer = ANSWER
    for n in range(STEPS):
        answer = step(n)
    return answer


@DBOS.workflow()
async def parallel() -> dict[str, str]:
    """W2."""
    await asyncio.gather(*(parallel_step(n) for n in range(STEPS)))
    return await parallel_step(STEPS)


def w1(executions: int) -> float:
    """Steps a second of `executions` sequential workflows."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        handles = list(pool.map(lambda _: DBOS.start_workflow(sequential), range(executions)))
        for handle in handles:
            handle.get_result()
    return executions * STEPS / (time.perf_counter() - begun)


def w2(executions: int) -> float:
    """Steps a second of `executions` parallel workflows."""

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


@DBOS.workflow()
async def sleeper(due_at: float) -> float:
    """Waits until `due_at`, in seconds since 1970; how late it went on, in ms."""
    await DBOS.sleep_async(max(0.0, due_at - time.time()))
    return (time.time() - due_at) * 1e3


def timers(at_once: int, ahead: float) -> dict[str, float]:
    """How late `at_once` sleeps that end together were, in ms, and when the last result was durable.

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


def alone(runs: int) -> list[float]:
    """Times in ms of one sequential workflow alone, run directly."""
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        sequential()
        times.append((time.perf_counter() - begun) * 1e3)
    return times


def main() -> None:
    """Run it all on the database given."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("--executions", type=int, default=100)
    arguments.add_argument("--timers", type=int, default=2_000)
    arguments.add_argument("--timers-only", action="store_true")  # by hand: W1 and W2 take minutes
    given = arguments.parse_args()
    DBOS(config={"name": "bench-peer", "system_database_url": given.url, "log_level": "ERROR"})
    DBOS.launch()
    slept = timers(given.timers, 5 + given.timers / 100)
    if given.timers_only:
        DBOS.destroy()
        print(json.dumps(slept))
        return
    alone(3)
    lone = alone(30)
    result = slept | {
        "w1_steps_per_s": median(w1(given.executions) for _ in range(3)),
        "w2_steps_per_s": median(w2(given.executions) for _ in range(3)),
        "lone_p50_ms": median(lone),
        "lone_p99_ms": quantiles(lone, n=100)[98],
    }
    DBOS.destroy()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
