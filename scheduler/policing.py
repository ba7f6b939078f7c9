"""The loop that raises cost alerts: one process follows the ledger of costs, and the others stand by."""

import logging
import threading
from collections.abc import Callable, Sequence
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
from scheduler.alert_decisions import AlertWork, decide_alerts
from scheduler.alerts_aside import AlertsAside, FoundLevels
from scheduler.following_costs import FollowingCosts
from store.columns import Columns
from store.datastore import Datastore
from store.listening import PROJECTED_CHANNEL, Listener
from store.lists.standing_alerts import MOST, ending, to_act
from store.reading import connect
from store.recorder import EPOCH_OVER, LogRecorder
from store.unit import EpochOver, Outage, Unit

logger = logging.getLogger(__name__)

POLICY = "policy:cost_alerts"
ACTOR = "system:alerts"
PAGE = 20_000
POLL_SECONDS = 1.0
# Between two pages of the ledger more costs arrive, which share a transaction; an alert is raised within a second.
LINGER_SECONDS = 0.25
# The more events, the longer the pause: the costs of an execution join its total as one sum.
BUSY_LINGER_SECONDS = 0.5
BUSY_EVENTS = 2_000
RETRY_SECONDS = 1.0
BEGIN = "insert into policy_positions (policy, position) values (%s, 0) on conflict do nothing"
LOCK = "select position from policy_positions where policy = %s for update"
MOVE = "update policy_positions set position = %s where policy = %s"

ALONE = 3
"""So often a decision on one alert is tried before it is set aside, while others change the alert."""

CarryOutAct = Callable[[UUID, Cause], None]
"""Carries out the act that the threshold of an alert requests, and notes it; repeated, it changes nothing."""


class Policing:
    """A thread that appends alerts, with its position in the same transaction.

    act: called for an alert whose threshold requests an act. An alert about which no decision or act succeeds is set
    aside and tried again, and the others go on.
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
        self._aside = AlertsAside()
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
        found: dict[UUID, FoundLevels] = {}
        if until > after:
            found, changed = self._following.follow(connection, after, until)
            self._changed |= changed
        aside = self._aside.found(connection, found, cause.at)
        # An alert that is due again may have been stale since it was set aside.
        self._changed |= bool(aside)
        over = {UUID(bytes=id): "window_ended" for id in ending(connection, cause.at)}
        if self._changed:
            stale = stale_alerts(connection, max(until, after), cause.at, MOST)
            self._changed = len(stale) == MOST
            over |= {UUID(bytes=id): "threshold_cleared" if cleared else "threshold_replaced" for id, cleared in stale}
        works = [
            AlertWork(id, [*aside.get(id, []), *found.get(id, [])], over.get(id, ""))
            for id in dict.fromkeys((*aside, *found, *over))
        ]
        if works:
            failed = self._decide(connection, works, cause)
            self._aside.decided(connection, aside.keys() - failed)
        elif until > after:
            # A position that a crash takes back leads to nothing else: the range raises nothing.
            connection.execute("set local synchronous_commit = off")
        if until > after:
            connection.execute(MOVE, (until, POLICY))
            self._position = until
        return until < head or self._changed or len(over) >= MOST

    def _decide(self, connection: Connection[Any], works: Sequence[AlertWork], cause: Cause) -> set[UUID]:
        """Decide on all alerts in one append; where that fails, on each by itself. Return those that are set aside.

        Raises Outage, or EpochOver when another server has taken over.
        """
        try:
            self._decide_together(connection, works, cause)
        except Exception as error:
            if _concerns_all(error):
                raise
            return {work.id for work in works if not self._decide_alone(connection, work, cause)}
        return set()

    def _decide_alone(self, connection: Connection[Any], work: AlertWork, cause: Cause, tries: int = ALONE) -> bool:
        """Decide on one alert, again if a user has changed it meanwhile; set it aside if that fails."""
        try:
            self._decide_together(connection, [work], cause)
        except Exception as error:
            if _concerns_all(error):
                raise
            if isinstance(error, psycopg.errors.UniqueViolation) and tries > 1:
                return self._decide_alone(connection, work, cause, tries - 1)
            self._aside.add(connection, work.id, error, cause.at, work.found)
            return False
        return True

    def _decide_together(self, connection: Connection[Any], works: Sequence[AlertWork], cause: Cause) -> None:
        with connection.transaction():
            self._append(connection, decide_alerts(connection, works, cause))

    def _append(self, connection: Connection[Any], units: list[Unit]) -> None:
        if units:
            columns = Columns()
            for unit in units:
                columns.add(unit)
            self._recorder.append(connection, columns)

    def act_for(self, connection: Connection[Any]) -> None:
        """Carry out the acts that alerts request, each that failed before only once its wait is over."""
        for raw, _ in to_act(connection, self._clock.now()):
            id, now = UUID(bytes=raw), self._clock.now()
            try:
                self._act(id, Cause(now, ACTOR, f"alert:{id}"))
            except Outage:
                raise
            except Exception as error:  # noqa: BLE001 - logged there
                self._aside.add(connection, id, error, now)
            else:
                self._aside.acted(connection, id)

    def _close(self) -> None:
        self._following = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _concerns_all(error: Exception) -> bool:
    """Return whether a failure is one of the database, or of its epoch, and not of one alert."""
    return isinstance(error, (*Outage, EpochOver)) or getattr(error, "sqlstate", None) == EPOCH_OVER
