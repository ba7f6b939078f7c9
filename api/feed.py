"""What wakes the open streams: one ear for all of them, and one end."""

import asyncio
from collections.abc import Callable

from queries.progress import Progress


class Feed:
    """Belongs to one event loop between `open` and `shut`; `close` may be called from any thread, and again."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._news = asyncio.Event()
        self._told = False
        self.closed = False

    def open(self) -> None:
        """Begin to hear, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self.closed = False
        self._unsubscribe = self._progress.subscribe(self._hear)

    def shut(self) -> None:
        """Hear no more, and end every stream."""
        self._unsubscribe()
        self._unsubscribe = lambda: None
        self.closed = True
        self._wake()
        self._loop = None

    def close(self) -> None:
        """End every stream, so that a server that is about to end need not wait for them."""
        self.closed = True
        self._soon()

    def news(self) -> asyncio.Event:
        """What the next news will set; take it before looking, so that nothing is missed in between."""
        return self._news

    async def wait(self, news: asyncio.Event, seconds: float) -> None:
        """Wait for `news`, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await news.wait()
        except TimeoutError:
            return

    def _hear(self, _position: int) -> None:
        # Many notifications in a row need one awakening.
        if not self._told:
            self._told = True
            self._soon()

    def _soon(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._told = False
        news, self._news = self._news, asyncio.Event()
        news.set()
