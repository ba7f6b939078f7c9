"""Patience with the process that runs a projection: how long to wait until it has reached a position."""

import time
from contextlib import closing

from projections.positions import Positions
from store.datastore import Datastore
from store.reading import connect

WAIT_SECONDS, POLL_SECONDS = 30.0, 0.05


def arrives(datastore: Datastore, name: str, position: int) -> int | None:
    """Wait until the projection `name` is at `position`; None once it is, else after 30 seconds where it stands."""
    deadline = time.monotonic() + WAIT_SECONDS
    positions = Positions()
    with closing(connect(datastore)) as connection:
        while (at := positions.read(connection, [name]).get(name, 0)) < position:
            if time.monotonic() > deadline:
                return at
            time.sleep(POLL_SECONDS)
    return None
