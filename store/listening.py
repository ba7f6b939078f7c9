"""LISTEN: being told that something was appended or projected."""

import logging
import threading
from collections.abc import Callable

from store.connections import Connections, Outage

logger = logging.getLogger(__name__)

LOG_CHANNEL = "procession_log"
PROJECTED_CHANNEL = "procession_projected"
RETRY_SECONDS = 0.2
CHECK_SECONDS = 0.5


class Listener:
    """A thread that hears one channel and calls `heard` with each payload, and once after every (re)connection.

    What happened before the connection stood is not heard: `heard("")` on connecting means "look for yourself".
    """

    def __init__(self, datastore: Connections, channel: str, heard: Callable[[str], None]) -> None:
        self._datastore = datastore
        self._channel = channel
        self._heard = heard
        self._stopping = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"listen {channel}", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns when the first connection stands, or after a moment during an outage."""
        self._thread.start()
        self._listening.wait(timeout=10)

    def stop(self) -> None:
        """Stop listening."""
        self._stopping.set()
        try:
            with self._datastore.reading() as connection:
                connection.execute("select pg_notify(%s, '')", (self._channel,))
        except Outage as error:
            logger.debug("the ear for %s notices by itself that it is to stop: %s", self._channel, error)
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except Outage as error:
                logger.warning("lost the ear for %s, trying again: %s", self._channel, error)
                self._stopping.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        with self._datastore.connect() as connection:
            connection.execute(f"listen {self._channel}")
            self._listening.set()
            self._heard("")
            while not self._stopping.is_set():
                for notification in connection.notifies(timeout=CHECK_SECONDS, stop_after=1):
                    self._heard(notification.payload)
