"""LISTEN: a thread receives the notifications of appends, or of projectors."""

import logging
import threading
from collections.abc import Callable

from store.connections import Connections, Outage

logger = logging.getLogger(__name__)

LOG_CHANNEL = "procession_log"
PROJECTED_CHANNEL = "procession_projected"
RETRY_SECONDS = 0.2
CHECK_SECONDS = 0.5
LEAVING_SECONDS = 10.0  # a connection attempt may take so long; the thread is a daemon


class Listener:
    """A thread that listens on one channel and calls `received` with each payload.

    Notifications sent while there is no connection are lost: after each connection the thread calls `received("")`, and
    its owner then reads the database. part: names the connection.
    """

    def __init__(
        self, datastore: Connections, channel: str, received: Callable[[str], None], part: str = "listen"
    ) -> None:
        self._datastore = datastore
        self._channel = channel
        self._part = part
        self._received = received
        self._stopping = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"listen {channel}", daemon=True)

    def start(self) -> None:
        """Begin to listen; return when the first connection listens, or after ten seconds during an outage."""
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
        self._thread.join(LEAVING_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except Outage as error:
                logger.warning("lost the ear for %s, trying again: %s", self._channel, error)
                self._stopping.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        with self._datastore.connect(self._part) as connection:
            connection.execute(f"listen {self._channel}")
            self._listening.set()
            self._pass_on("")
            # The server of a connection that an epoch has left behind sends nothing of the log any more.
            while not (self._stopping.is_set() or self._datastore.epochs.over(connection)):
                for notification in connection.notifies(timeout=CHECK_SECONDS, stop_after=1):
                    self._pass_on(notification.payload)

    def _pass_on(self, payload: str) -> None:
        """Call `received`; a payload that breaks it, which anybody may send, does not end the thread."""
        try:
            self._received(payload)
        except Exception:
            logger.exception("a notification on %s could not be read", self._channel)
