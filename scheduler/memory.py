"""The memories of agents as files, on a thread of its own: the projector and the agents wait for no disk."""

import logging
import threading
from collections.abc import Callable

import msgspec

from domain.clock import Clock
from domain.refusal import AgentNotFound, Forbidden, Refusal
from gateway.memory import MemoryFolder, WentBack
from queries.inbox.concerned import is_held, list_concerned, list_inboxes
from queries.inbox.views import InboxPage, InboxPlace, read_place
from queries.reading import Reading
from store.unit import Outage

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
INTERRUPTED_SECONDS = 30.0
# Agents may be registered after others named them in a role.
SWEEP_SECONDS = 600.0

ReadInbox = Callable[[str, str], InboxPage]
"""Returns the page of an agent's inbox after a cursor, without sensitive values."""

_encode = msgspec.json.Encoder().encode


class MemoryFiles:
    """Appends the entries of all inboxes to the files of a folder, while no other process does.

    It pauses at least as long as it works.
    """

    def __init__(self, reading: Reading, clock: Clock, read: ReadInbox, folder: MemoryFolder) -> None:
        self._reading = reading
        self._clock = clock
        self._read = read
        self._folder = folder
        self._followed: dict[str, int] = {}
        self._until = self._as_of = 0
        self._sweep_at = 0.0
        self._waiting: set[str] = set()
        """The agents whose memories could not be written; they are tried again together at `_retry_at`."""
        self._retry_at = 0.0
        self._anew = False
        reading.progress.main.epochs.subscribe(self.forget_all)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def start(self) -> None:
        """Begin to follow the inboxes."""
        self._thread.start()

    def stop(self) -> None:
        """End after the page that is open."""
        self._stopping.set()
        self._thread.join()

    def forget_all(self) -> None:
        """Follow every inbox from the end of its file at the next turn; callable from any thread."""
        self._anew = True

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            began = self._clock.monotonic()
            try:
                if self._folder.acquire():
                    self._turn(began)
                pause = max(POLL_SECONDS, self._clock.monotonic() - began)
            except (OSError, Refusal, *Outage) as error:
                logger.warning("the files of memories wait: %s", error)
                pause = INTERRUPTED_SECONDS
            except Exception:
                logger.exception("the files of memories were interrupted, trying again")
                pause = INTERRUPTED_SECONDS
        self._folder.release()

    def _turn(self, now: float) -> None:
        """Follow the inboxes that new entries may concern; all of them at first, and now and then."""
        if self._anew:
            self._anew = False
            self._followed, self._until, self._as_of, self._sweep_at = {}, 0, 0, 0.0
        if self._waiting and now >= self._retry_at:
            waiting, self._waiting = sorted(self._waiting), set()
            self._follow_all(waiting)
        if now >= self._sweep_at:
            after = ""
            while agents := list_inboxes(self._reading, after):
                self._follow_all(agents)
                after = agents[-1]
            self._sweep_at = now + SWEEP_SECONDS
        while not self._stopping.is_set():
            found = list_concerned(self._reading, self._until)
            if found.as_of_position == self._as_of:
                return
            self._follow_all(found.agents)
            if self._stopping.is_set() or found.until == self._until:
                return
            self._until = found.until
            self._as_of = found.as_of_position if found.until >= found.as_of_position - 1 else 0

    def _follow_all(self, agents: list[str]) -> None:
        for agent in agents:
            if self._stopping.is_set():
                return
            if agent in self._waiting:
                continue
            try:
                self._follow(agent)
            except (AgentNotFound, Forbidden) as refusal:
                logger.debug("no memory of %r: %s", agent, refusal)
            except Outage:
                raise
            except Exception as error:
                # Its file, or an entry of its inbox: the others do not wait for it.
                logger.error("the memory of %r waits: %s", agent, error, exc_info=not isinstance(error, OSError))
                self._waiting.add(agent)
                self._retry_at = self._clock.monotonic() + INTERRUPTED_SECONDS

    def _position(self, agent: str) -> int | None:
        """Return how far a memory is, after a note in it if the log went back; None: it is of another log."""
        last = self._folder.last(agent)
        if not last.position or is_held(self._reading, last.event_id, last.position):
            return last.position
        epochs = self._reading.progress.main.epochs.known
        # The entry may be of any of the epochs: those after the first one that began before it are read again.
        begun = [each.begins_at for each in epochs[1:] if each.begins_at < last.position]
        if not begun:
            return None
        logger.warning("the log has lost entries in the memory of %r, beyond position %s", agent, min(begun))
        self._folder.go_back(agent, WentBack(position=min(begun), epoch=epochs[-1].epoch_id))
        return min(begun)

    def _follow(self, agent: str) -> None:
        """Append what the memory of an agent does not have."""
        position = self._followed.get(agent)
        if position is None:
            found = self._position(agent)
            if found is None:
                logger.error("the memory of %r is that of another log; move it away", agent)
                return
            position = found
        while not self._stopping.is_set():
            page = self._read(agent, InboxPlace(position, epoch=self._reading.epoch).cursor)
            self._folder.append(agent, [(each.position, _encode(each)) for each in page.items])
            position = read_place(page.cursor).position
            if not page.has_more:
                # At its last position an inbox withholds a failure until the next event says whether it is final.
                self._followed[agent] = max(position, page.as_of_position - 1)
                return
