"""Processes whose pools wait a tenth as long for a connection, and keep idle ones a tenth as long."""

import store.connections


def prepare() -> None:
    """Shorten the times of this process."""
    store.connections.IDLE_SECONDS /= 10
    store.connections.POOL_TIMEOUT_SECONDS /= 10
