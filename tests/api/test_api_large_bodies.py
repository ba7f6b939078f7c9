"""A large body is parsed beside the event loop: other requests are served meanwhile."""

import time
from itertools import pairwise
from typing import Any

import anyio
import httpx2
import pytest

from domain.jsonvalue import parse_json
from edge.bodies import MAX_BODY

BODY = b'{"%s":[' + b'{"a":1},' * ((MAX_BODY - 100) // 8) + b"0]}"
DOORS = {
    "agent": ("PUT", "/api/agents/writer", BODY % b"config"),
    "draft": ("POST", "/api/processes", BODY % b"definition"),
    "roles": ("PUT", "/api/processes/greeting/roles", BODY % b"assign"),
}


async def longest_pause(app: Any, method: str, path: str, body: bytes) -> float:
    """Send a request; return the longest time in seconds in which the event loop served nobody else."""
    times = [time.perf_counter()]

    async def tick() -> None:
        while True:
            await anyio.sleep(0)
            times.append(time.perf_counter())

    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://testserver")
    json = {"content-type": "application/json"}
    async with client, anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        answer = await client.request(method, path, content=body, headers=json, timeout=60)
        assert answer.is_client_error
        times.append(time.perf_counter())
        tasks.cancel_scope.cancel()
    return max(later - earlier for earlier, later in pairwise(times))


@pytest.mark.parametrize("door", DOORS)
def test_others_are_served_while_a_large_body_is_parsed(installation, door):
    method, path, body = DOORS[door]
    begun = time.perf_counter()
    parse_json(body)
    parsing = time.perf_counter() - begun
    pauses = [anyio.run(longest_pause, installation.app, method, path, body) for _ in range(3)]
    assert min(pauses) < parsing / 2
