"""The log of the primary beyond the rows of a replica, which itself does not show how far it is behind."""

import re
import threading
from datetime import UTC, datetime
from time import monotonic

import msgspec

from store.connections import Connections, Outage

KNOWN_SECONDS = 0.5
WAIT_SECONDS = 0.5
PAUSE_SECONDS = 5.0
MOST = 100

BEYOND = """
select (select coalesce(max(notification_id), 0) from stored_events) as head,
  (select substring(state from 1 for 100) from stored_events
    where notification_id > %(after)s order by notification_id limit 1) as next"""

_AT = re.compile(rb'\{"at":"([^"]{1,40})"')


class Beyond(msgspec.Struct, frozen=True):
    """head: end of the primary's log. next: how its first event begins beyond a position, None without one."""

    head: int
    next: bytes | None
    read_at: float

    @property
    def age(self) -> float:
        """The seconds since that event happened; 0 without one."""
        return age_of(self.next)


class Ahead:
    """The log of the primary beyond positions of the replica, read at most twice a second for each position.

    While the primary is out of reach, what was read last counts.
    """

    def __init__(self, primary: Connections) -> None:
        self._primary = primary
        self._guard = threading.Lock()
        self._known: dict[int, Beyond] = {}
        self._again_at = 0.0

    def beyond(self, position: int) -> Beyond:
        """Return what the primary has beyond `position`."""
        now = monotonic()
        with self._guard:
            known = self._known.get(position)
            if known is not None and now - known.read_at < KNOWN_SECONDS:
                return known
            if now < self._again_at:
                return known or Beyond(0, None, now)
        try:
            with self._primary.reading(WAIT_SECONDS) as connection:
                row = connection.execute(BEYOND, {"after": position}, prepare=True).fetchone()
        except Outage:
            self._again_at = monotonic() + PAUSE_SECONDS
            return known or Beyond(0, None, now)
        assert row is not None
        found = Beyond(row["head"], row["next"], monotonic())
        with self._guard:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[position] = found
        return found


def age_of(state: bytes | None) -> float:
    """Return the seconds since the event that begins with `state` happened; 0 without one."""
    found = _AT.match(bytes(state)) if state is not None else None
    if found is None:
        return 0.0
    at = datetime.fromisoformat(found[1].decode())
    return max(0.0, round((datetime.now(UTC) - at).total_seconds(), 3))
