"""The outgoing connections: as many at once as there are calls, in pools small enough to be fast."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from domain.clock import Clock

# A pool scans all its connections whenever a call begins or ends, so a thousand in one pool cost a thousand checks.
POOL_SIZE = 50
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 30.0


class _Pool:
    """A client, and the number of calls that use it."""

    __slots__ = ("busy", "client")

    def __init__(self) -> None:
        self.client = _client()
        self.busy = 0


class Outgoing:
    """The clients for calls of agents, made as they are needed; for use on one event loop only.


    clock: the time that goes into what is sent.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
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
        pool = _Pool()
        self._pools.append(pool)
        return pool


@cache
def _authorities() -> ssl.SSLContext:
    """Return the trusted certificates; reading them takes tens of milliseconds."""
    return httpx2.create_ssl_context()


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        verify=_authorities(),
        limits=httpx2.Limits(
            max_connections=POOL_SIZE, max_keepalive_connections=POOL_SIZE, keepalive_expiry=IDLE_SECONDS
        ),
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        follow_redirects=False,
        # Cookies of one agent must not reach another one, even on the same host.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        # The environment's proxies are used, but never for this machine itself.
        mounts={f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")},
        # A compressed megabyte can unfold to a gigabyte, so requests accept none.
        headers={"Accept-Encoding": "identity", "User-Agent": "procession"},
    )
