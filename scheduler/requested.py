"""The acts that operators requested about read models: carried out one at a time, and again after an interruption."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from domain.clock import Clock
from projections import rebuilding
from projections.building import RebuildRunning
from projections.builds import BUILDING, find
from projections.differing import LiveBehind, diff
from projections.locks import REQUEST_LOCK, try_lock, unlock
from projections.pages import Broken, describe
from projections.projection import Projection
from projections.switching import HandOverRefused, NothingToSwitchTo
from projections.verifying import NotBuilt, verify
from store import read_model_requests as requests
from store.datastore import Datastore
from store.progress import Progress
from store.read_model_requests import ReadModelRequest
from store.reading import UnknownEventMet, connect
from store.unit import Outage

logger = logging.getLogger(__name__)

CHECK_SECONDS = 1.0  # between two checks whether the request is withdrawn
SWITCHES = ("rebuild", "promote", "rollback")
CHANGES_TABLES = ("rebuild", "build", "promote", "rollback", "drop")
REFUSED = (
    UnknownEventMet,
    Broken,
    HandOverRefused,
    NothingToSwitchTo,
    LiveBehind,
    NotBuilt,
    psycopg.errors.LockNotAvailable,
)


class BuildInterrupted(Exception):
    """The process ends; the next one continues the build."""


class Withdrawn(Exception):
    """An operator withdrew the request."""


class RequestedActs:
    """Carries out the open requests about `projections`. progress: called by each build; its errors interrupt it."""

    def __init__(
        self, datastore: Datastore, clock: Clock, projections: Sequence[Projection[Any]], progress: Progress
    ) -> None:
        self._datastore = datastore
        self._clock = clock
        self._by_name = {projection.name: projection for projection in projections}
        self._progress = progress

    def work(self) -> None:
        """Carry out the oldest request, if there is one and no other process carries one out. May raise an Outage."""
        with self._datastore.reading() as connection:
            if requests.oldest(connection, list(self._by_name)) is None:
                return
        with closing(connect(self._datastore)) as connection:
            if not try_lock(connection, REQUEST_LOCK, "requests"):
                return
            found = requests.oldest(connection, list(self._by_name))
            begun = None if found is None else requests.begin(connection, found.request_id)
            if found is not None and begun is not None:
                self._carry_out(connection, begun, again=found.state == "running")
            unlock(connection, REQUEST_LOCK, "requests")

    def _carry_out(self, connection: Connection[Any], request: ReadModelRequest, *, again: bool) -> None:
        name, act = request.projection, request.act
        try:
            result = self._act(connection, request, again=again)
        except RebuildRunning as error:
            logger.debug("%s", error)
        except Withdrawn:
            logger.info("%s of %s is withdrawn", act, name)
        except REFUSED as error:
            reason = f"{name} {error}" if isinstance(error, UnknownEventMet) else describe(error)
            logger.warning("%s of %s failed: %s", act, name, reason)
            requests.end(connection, request.request_id, failure=reason)
        except (*Outage, BuildInterrupted):
            raise
        except Exception as error:
            logger.exception("%s of %s failed", act, name)
            requests.end(connection, request.request_id, failure=describe(error))
        else:
            requests.end(connection, request.request_id, result)
            logger.info("%s of %s is done, as %s requested", act, name, request.actor)

    def _act(self, connection: Connection[Any], request: ReadModelRequest, *, again: bool) -> object:
        """Carry out a request; return its result. again: another process, or this one, was interrupted in it."""
        projection, started_at = self._by_name[request.projection], request.started_at
        assert started_at is not None
        if again and request.act in SWITCHES and requests.switched_since(connection, projection.name, started_at):
            return None  # the process ended between the switch and this row
        progress = self._watched(connection, request)
        if request.act in CHANGES_TABLES:
            requests.forget_comparison(connection, projection.name)
        if request.act == "compare":
            position, tables = diff(self._datastore, projection, progress)
            # Rows may hold what a reader of this comparison may not see.
            bare = [msgspec.structs.replace(table, samples=[]) for table in tables]
            requests.keep_comparison(connection, projection.name, position, bare)
            return {"differing": sum(table.differing for table in tables)}
        if request.act == "verify":
            found = verify(self._datastore, projection, progress)
            # Rows may hold what a reader of this result may not see.
            return {"rows": found.rows, "differing": found.differing, "parked": found.parked}
        if request.act in ("rebuild", "build"):
            begun = find(connection, projection.name, BUILDING)
            resume = again and begun is not None and begun.begun_at >= started_at
            work = rebuilding.rebuild if request.act == "rebuild" else rebuilding.build
            return work(self._datastore, projection, progress, resume=resume)
        if request.act == "drop":
            return {"dropped": rebuilding.drop(self._datastore, projection)}
        switch = rebuilding.promote if request.act == "promote" else rebuilding.rollback
        return switch(self._datastore, projection, progress)

    def _watched(self, connection: Connection[Any], request: ReadModelRequest) -> Callable[[int, int], None]:
        """Return the progress of a build that ends when its request is withdrawn."""
        checked_at = self._clock.monotonic()

        def report(done: int, total: int) -> None:
            nonlocal checked_at
            if done >= total:
                return  # a switch may be behind it
            self._progress(done, total)
            if self._clock.monotonic() - checked_at >= CHECK_SECONDS:
                checked_at = self._clock.monotonic()
                if not requests.is_open(connection, request.request_id):
                    raise Withdrawn

        return report
