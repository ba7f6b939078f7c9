"""The loop that raises cost alerts: one process follows the ledger of costs, and the others stand by."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from domain.clock import Clock
from domain.event import Cause
from projections.cost_ledger import CostLedgerProjection
from projections.cost_totals import stale_alerts
from projections.locks import RUNNER_LOCK, try_lock
from projections.positions import Positions
from projections.tables import built_digests
from scheduler.following_costs import ACTOR, FollowingCosts, resolutions
from store.columns import Columns
from store.datastore import Datastore
from store.listening import PROJECTED_CHANNEL, Listener
from store.lists.standing_alerts import MOST, ending, to_act
from store.reading import connect
from store.recorder import LogRecorder
from store.unit import Unit

logger = logging.getLogger(__name__)

POLICY = "policy:cost_alerts"
PAGE = 20_000
POLL_SECONDS = 1.0
# Between two pages of the ledger more costs arrive, which share a transaction; an alert is raised within a second.
LINGER_SECONDS = 0.25
# The more events, the longer the pause: the costs of an execution join its total as one sum.
BUSY_LINGER_SECONDS = 0.5
BUSY_EVENTS = 2_000
RETRY_SECONDS = 1.0
# An act that does not succeed is tried again after a second, then after twice as long, and so on.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=5)
BEGIN = "insert into policy_positions (policy, position) values (%s, 0) on conflict do nothing"
LOCK = "select position from policy_positions where policy = %s for update"
MOVE = "update policy_positions set position = %s where policy = %s"

CarryOutAct = Callable[[UUID, Cause], None]
"""Carries out the act that the threshold of an alert requests, and notes it; repeated, it changes nothing."""


class Policing:
    """A thread that appends alerts, with its position in the same transaction.

    act: called for an alert whose threshold requests an act; what does not succeed is tried again.
    """

    def __init__(self, datastore: Datastore, clock: Clock, act: CarryOutAct) -> None:
        self._datastore = datastore
        self._clock = clock
        self._act = act
        self._recorder = LogRecorder(datastore)
        self._positions = Positions()
        self._ledger = CostLedgerProjection()
        self._connection: Connection[Any] | None = None
        self._following: FollowingCosts | None = None
        self._position = 0
        self._changed = True
        self._linger = LINGER_SECONDS
        self._tries: dict[bytes, tuple[datetime, timedelta]] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._listener = Listener(datastore, PROJECTED_CHANNEL, lambda _payload: self._wake.set())
        self._thread = threading.Thread(target=self._run, name="policing", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._listener.start()
        self._thread.start()

    def stop(self) -> None:
        """Follow the ledger to its end once more, and let another process go on."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(10.0)
        self._listener.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._police()
            except (psycopg.Error, OSError) as error:
                logger.warning("raising cost alerts was interrupted, trying again: %s", error)
            except Exception:
                logger.exception("raising cost alerts was interrupted by something unforeseen, trying again")
            self._close()
            self._stopping.wait(RETRY_SECONDS)

    def _police(self) -> None:
        connection = self._connection = connect(self._datastore, "alerts")
        while not try_lock(connection, RUNNER_LOCK, POLICY):
            if self._stopping.wait(POLL_SECONDS):
                return
        connection.execute(BEGIN, (POLICY,))
        while True:
            self._wake.clear()
            more = self.advance(connection)
            self.act_for(connection)
            if self._stopping.is_set() or self._datastore.epochs.over(connection):
                return
            if not more:
                self._stopping.wait(self._linger)
                self._wake.wait(POLL_SECONDS)

    def advance(self, connection: Connection[Any]) -> bool:
        """Raise and resolve what follows from a page of the ledger and from the time; return whether there is more."""
        if built_digests(connection).get(self._ledger.name) != self._ledger.digest:
            return False  # another release defines the ledger: it follows, or a rebuild makes it ours
        try:
            with connection.transaction():
                return self._advance(connection)
        except BaseException:
            self._following = None
            raise

    def _advance(self, connection: Connection[Any]) -> bool:
        cause = Cause(self._clock.now(), ACTOR)
        row = connection.execute(LOCK, (POLICY,)).fetchone()
        after = 0 if row is None else int(row["position"])
        if self._following is None or after != self._position:
            self._following, self._position, self._changed = FollowingCosts(connection, after), after, True
        head = self._positions.read(connection, [self._ledger.name]).get(self._ledger.name, 0)
        until = min(head, after + PAGE)
        self._linger = BUSY_LINGER_SECONDS if until - after > BUSY_EVENTS else LINGER_SECONDS
        units: list[Unit] = []
        if until > after:
            units, changed = self._following.follow(connection, after, until, cause)
            self._changed |= changed
        taken = {unit.stream.bytes for unit in units}
        over = dict.fromkeys(ending(connection, cause.at), "window_ended")
        if self._changed:
            stale = stale_alerts(connection, max(until, after), MOST)
            self._changed = len(stale) == MOST
            over |= {id: "threshold_cleared" if cleared else "threshold_replaced" for id, cleared in stale}
        units += resolutions(connection, [(id, reason) for id, reason in over.items() if id not in taken], cause)
        if units:
            self._append(connection, units)
        elif until > after:
            # A position that a crash takes back leads to nothing else: the range raises nothing.
            connection.execute("set local synchronous_commit = off")
        if until > after:
            connection.execute(MOVE, (until, POLICY))
            self._position = until
        return until < head or self._changed or len(over) >= MOST

    def _append(self, connection: Connection[Any], units: list[Unit]) -> None:
        columns = Columns()
        for unit in units:
            columns.add(unit)
        self._recorder.append(connection, columns)

    def act_for(self, connection: Connection[Any]) -> None:
        """Carry out the acts that alerts request, each that failed before only once its wait is over."""
        requested = [id for id, _ in to_act(connection)]
        tries = {id: self._tries[id] for id in requested if id in self._tries}
        for id in requested:
            now = self._clock.now()
            at, wait = tries.get(id, (now, FIRST_WAIT))
            if now < at:
                continue
            try:
                self._act(UUID(bytes=id), Cause(now, ACTOR, f"alert:{UUID(bytes=id)}"))
            except Exception:
                logger.exception("the act of alert %s is tried again in %s", UUID(bytes=id), wait)
                tries[id] = now + wait, min(2 * wait, LONGEST_WAIT)
        self._tries = tries

    def _close(self) -> None:
        self._following = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
