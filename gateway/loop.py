"""A thread that runs an asyncio loop, started by the first call that needs it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class LoopThread:
    """Runs callbacks and coroutines on a loop of its own; callable from any thread but that one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def started(self) -> bool:
        """Whether there is a thread."""
        return self._loop is not None

    def call(self, function: Callable[[Unpack[Ts]], object], *args: *Ts) -> None:
        """Schedule `function` on the loop, in the order of these calls; does not wait."""
        (self._loop or self._start()).call_soon_threadsafe(function, *args)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return the result of `coroutine`, run on the loop; waits for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop or self._start()).result()

    def stop(self) -> None:
        """End the loop and its thread after its present queue. Does nothing when it never started."""
        with self._starting:
            if self._loop is None or self._thread is None:
                return
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                # A daemon: a worker that dies without closing must not hang on its open calls.
                self._thread = threading.Thread(target=loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
                self._loop = loop
            return self._loop
