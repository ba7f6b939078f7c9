"""The outgoing connections: as many at once as there are calls, in pools small enough to be fast."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from domain.agents.policy import OutgoingPolicy
from domain.clock import Clock
from gateway.large_results import LargeResults
from gateway.routes import CheckedTransport

# A pool scans all its connections whenever a call begins or ends, so a thousand in one pool cost a thousand checks.
POOL_SIZE = 50
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 30.0


class _Pool:
    """A client, and the number of calls that use it."""

    __slots__ = ("busy", "client")

    def __init__(self, policy: OutgoingPolicy) -> None:
        self.client = _client(policy)
        self.busy = 0


class Outgoing:
    """The clients for calls of agents, made as they are needed; for use on one event loop only.

    clock: the time that goes into what is sent. policy: the rules of what goes out, and where to. large: where large
    results are kept; None: they are not allowed.
    """

    def __init__(
        self,
        clock: Clock,
        policy: OutgoingPolicy = OutgoingPolicy(),  # noqa: B008 - immutable
        large: LargeResults | None = None,
    ) -> None:
        self.clock = clock
        self.policy = policy
        self.large = large
        self._pools: list[_Pool] = []

    @contextmanager
    def client(self) -> Iterator[httpx2.AsyncClient]:
        """Yield a client with a free connection for one call; the first such one, to reuse idle connections."""
        pool = next((pool for pool in self._pools if pool.busy < POOL_SIZE), None) or self._another()
        pool.busy += 1
        try:
            yield pool.client
        finally:
            pool.busy -= 1

    async def close(self) -> None:
        """Close every connection."""
        for pool in self._pools:
            await pool.client.aclose()
        self._pools.clear()

    def _another(self) -> _Pool:
        pool = _Pool(self.policy)
        self._pools.append(pool)
        return pool


def _client(policy: OutgoingPolicy) -> httpx2.AsyncClient:
    limits = httpx2.Limits(
        max_connections=POOL_SIZE, max_keepalive_connections=POOL_SIZE, keepalive_expiry=IDLE_SECONDS
    )
    return httpx2.AsyncClient(
        transport=CheckedTransport(policy.addresses, limits),
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        follow_redirects=False,
        # Cookies of one agent must not reach another one, even on the same host.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        # A compressed megabyte can unfold to a gigabyte, so requests accept none.
        headers={"Accept-Encoding": "identity", "User-Agent": "procession"},
    )
