"""The position of each read model, and waits for it: the projector wakes a waiting query, which also polls."""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from psycopg.types.json import Jsonb

from store.connections import Connections
from store.listening import PROJECTED_CHANNEL, Listener

LOG = "log"
ALL = "all"
RECHECK_SECONDS = 0.1
POSITIONS = """
select application_name as name, notification_id as position, p.digest
  from notification_tracking t left join projections p on p.name = t.application_name
union all select 'log', coalesce(max(notification_id), 0), null from stored_events
union all select 'all', coalesce(min(t.notification_id), 0), null
  from projections p join notification_tracking t on t.application_name = p.name where p.failure is null
  and p.digest = coalesce(%s::jsonb ->> p.name, p.digest)"""

OnProgress = Callable[[int], None]


class ExecutionProgress:
    """The positions of read models, for all queries of a process that wait: one listener, one reading for all.

    main: the server on which the projector notifies. read: the server of the queries, whose positions count: a replica
    may be behind.
    shapes: the digest of each read model's tables that queries of this release can read. Default: any.
    """

    def __init__(
        self, main: Connections, read: Connections | None = None, shapes: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.main = main
        self.shapes = shapes
        self._shapes = Jsonb(dict(shapes))
        self._read = read or main
        self._listener: Listener | None = None
        self._changed = threading.Condition()
        self._generation = 0
        self._subscribers: list[OnProgress] = []
        self._reading = threading.Lock()
        self._seen: dict[str, int] = {}
        self._unreadable: set[str] = set()
        self._seen_generation = -1
        self._seen_at = 0.0
        main.epochs.subscribe(self.forget_all)

    def start(self) -> None:
        """Start the listener."""
        self._listener = Listener(self.main, PROJECTED_CHANNEL, self._receive)
        self._listener.start()

    def stop(self) -> None:
        """Stop the listener; waiting queries poll on."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def subscribe(self, on_progress: OnProgress) -> Callable[[], None]:
        """Call `on_progress` with each position that read models reach, 0 if unknown; return the unsubscription."""
        with self._changed:
            self._subscribers.append(on_progress)

        def unsubscribe() -> None:
            with self._changed:
                self._subscribers.remove(on_progress)

        return unsubscribe

    def reached(self, projection: str, position: int, timeout: float) -> bool:
        """Wait until `projection` has reached `position`, at most `timeout` seconds; return whether it has.

        Does not wait for tables that queries of this release cannot read.

        Raises psycopg.OperationalError during an outage.
        """
        deadline = time.monotonic() + timeout
        while True:
            generation = self._generation
            if self._read_positions(generation).get(projection, 0) >= position:
                return True
            left = deadline - time.monotonic()
            if left <= 0 or projection in self._unreadable:
                return False
            with self._changed:
                self._changed.wait_for(partial(self._moved_on, generation), min(left, RECHECK_SECONDS))

    def forget_all(self) -> None:
        """Read the positions again at the next use, and wake the queries that wait for one: they may have gone back."""
        self._receive("")

    def _moved_on(self, generation: int) -> bool:
        return self._generation != generation

    def position(self) -> int:
        """Return the position that all read models, failed ones aside, have reached.

        Raises psycopg.OperationalError in an outage.
        """
        return self._read_positions(self._generation).get(ALL, 0)

    def end_of_log(self) -> int:
        """Return the position of the newest event. Raises psycopg.OperationalError in an outage."""
        return self._read_positions(self._generation).get(LOG, 0)

    def _read_positions(self, generation: int) -> dict[str, int]:
        """Return the positions as of `generation` or later; callers at one time share a reading."""
        with self._reading:
            fresh = self._seen_generation >= generation and time.monotonic() - self._seen_at < RECHECK_SECONDS / 2
            if not fresh:
                seen_generation = self._generation
                with self._read.reading() as connection:
                    rows = connection.execute(POSITIONS, (self._shapes,), prepare=True).fetchall()
                self._seen = {row["name"]: row["position"] for row in rows}
                self._unreadable = {
                    row["name"] for row in rows if row["digest"] != self.shapes.get(row["name"], row["digest"])
                }
                self._seen_generation, self._seen_at = seen_generation, time.monotonic()
            return self._seen

    def _receive(self, payload: str) -> None:
        position = int(payload) if payload.isdigit() else 0
        with self._changed:
            self._generation += 1
            self._changed.notify_all()
            subscribers = list(self._subscribers)
        for notify in subscribers:
            notify(position)
