"""Clusters of tests: servers on loopback that share nothing with the server of the other tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from projections.tables import create_read_tables
from store.migrating import migrate
from tests.clusters.node import Cluster, Node


@pytest.fixture(scope="session")
def programs_in() -> Iterator[Path]:
    """Yield a folder for programs, where the server's account cannot enter the installed ones."""
    folder = Path(tempfile.mkdtemp(prefix="procession-programs-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated(programs_in: Path) -> Iterator[Path]:
    """Yield the folder of a stopped server whose database is migrated and empty."""
    cluster = Cluster(programs_in)
    try:
        node = cluster.create("seed")
        migrate(node.dsn)
        with psycopg.connect(node.dsn) as connection:
            create_read_tables(connection)
        node.stop()
        yield node.data
    finally:
        cluster.close()


@pytest.fixture
def cluster(programs_in: Path) -> Iterator[Cluster]:
    """Yield a cluster without nodes; end its nodes after the test."""
    made = Cluster(programs_in)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def primary(cluster: Cluster, migrated: Path) -> Node:
    """Return a running server with a migrated, empty database."""
    return cluster.copy("one", migrated)


@pytest.fixture
def standby(cluster: Cluster, primary: Node) -> Node:
    """Return a standby of `primary` that streams; no commit waits for it."""
    return cluster.standby("two", primary)
