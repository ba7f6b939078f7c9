"""Look-ups of host names, on threads of their own: slow ones keep no other work waiting, nor each other."""

import asyncio
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor

MOST_LOOKUPS = 16
"""The most look-ups at once; each name has one at most, so a slow name server keeps one thread a name."""

Found = list[str]


class Lookups:
    """Resolves names; callers that need the same name at the same time share one look-up. For any number of loops."""

    def __init__(self, most: int = MOST_LOOKUPS) -> None:
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="lookup")
        self._under_way: dict[tuple[str, int], Future[Found]] = {}
        self._lock = threading.Lock()

    async def resolve(self, host: str, port: int) -> Found:
        """Return the addresses of `host`, the preferred one first. Raises OSError or UnicodeError."""
        with self._lock:
            lookup = self._under_way.get((host, port))
            if lookup is None:
                lookup = self._under_way[host, port] = self._threads.submit(self._resolve, host, port)
        # A cancelled call leaves the look-up to the other callers.
        return await asyncio.shield(asyncio.wrap_future(lookup))

    def _resolve(self, host: str, port: int) -> Found:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        finally:
            with self._lock:
                self._under_way.pop((host, port), None)
        return list(dict.fromkeys(_text(*each[4]) for each in found))


LOOKUPS = Lookups()
"""The look-ups of this process; its threads begin with the first of them."""


def _text(address: str | int, _port: int | bytes, _flow: int = 0, zone: int = 0) -> str:
    """Return the address of a resolved name; a link-local one keeps its zone."""
    return f"{address}%{zone}" if zone and "%" not in str(address) else str(address)
