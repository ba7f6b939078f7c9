"""The feed: one subscription to the progress of read models, which wakes, counts and ends the open streams."""

import asyncio
from collections.abc import Callable

from edge.inbox_rounds import InboxRounds
from edge.refusals import TooManyStreams
from queries.progress import ExecutionProgress


class Feed:
    """Belongs to one event loop between `open` and `shut`; any thread may call `close`, more than once.

    inboxes: what callers that wait for inboxes share.
    """

    def __init__(self, progress: ExecutionProgress) -> None:
        self._progress = progress
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._news = asyncio.Event()
        self._waking = False
        self._streams = 0
        self.inboxes = InboxRounds()
        self.closed = False

    def enter(self, most: int) -> None:
        """Take a place for one more stream, of at most `most`. Raises TooManyStreams."""
        if self._streams >= most:
            raise TooManyStreams(f"{most} streams are open already; an operator can set PROCESSION_MAX_STREAMS")
        self._streams += 1

    def leave(self) -> None:
        """Give the place of a stream back."""
        self._streams -= 1

    def open(self) -> None:
        """Subscribe, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self.closed = False
        self.inboxes = InboxRounds()
        self._progress.main.epochs.subscribe(self.inboxes.forget_all)
        self._unsubscribe = self._progress.subscribe(self._advanced)

    def shut(self) -> None:
        """Unsubscribe, and end every stream."""
        self._unsubscribe()
        self._unsubscribe = lambda: None
        self.closed = True
        self._wake()
        self._loop = None

    def close(self) -> None:
        """End every stream, so that a server that stops need not wait for them."""
        self.closed = True
        self._soon()

    def news(self) -> asyncio.Event:
        """Return the event that the next advance sets; take it before reading, so that no advance is missed."""
        return self._news

    async def wait(self, news: asyncio.Event, seconds: float) -> None:
        """Wait for `news`, at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await news.wait()
        except TimeoutError:
            return

    def _advanced(self, _position: int) -> None:
        # Many notifications in a row need one awakening.
        if not self._waking:
            self._waking = True
            self._soon()

    def _soon(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._waking = False
        news, self._news = self._news, asyncio.Event()
        news.set()
