"""W1 and W2 on DBOS, on the same server with the same durability; run as a program, prints one JSON object.

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
    given = arguments.parse_args()
    DBOS(config={"name": "bench-peer", "system_database_url": given.url, "log_level": "ERROR"})
    DBOS.launch()
    alone(3)
    lone = alone(30)
    result = {
        "w1_steps_per_s": median(w1(given.executions) for _ in range(3)),
        "w2_steps_per_s": median(w2(given.executions) for _ in range(3)),
        "lone_p50_ms": median(lone),
        "lone_p99_ms": quantiles(lone, n=100)[98],
    }
    DBOS.destroy()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
