"""Clusters of tests: servers on loopback that share nothing with the server of the other tests."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from projections.tables import create_read_tables
from store.migrating import migrate
from tests.clusters.node import Cluster, Node


@pytest.fixture(scope="session")
def programs_in() -> Iterator[Path]:
    """Yield a folder for programs, where the server's account cannot enter the installed ones."""
    with TemporaryDirectory(prefix="procession-programs-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="session")
def migrated(programs_in: Path) -> Iterator[Path]:
    """Yield the folder of a stopped server whose database is migrated and empty."""
    with closing(Cluster(programs_in)) as cluster:
        node = cluster.create("seed")
        migrate(node.dsn)
        with psycopg.connect(node.dsn) as connection:
            create_read_tables(connection)
        node.stop()
        yield node.data


@pytest.fixture
def cluster(programs_in: Path) -> Iterator[Cluster]:
    """Yield a cluster without nodes; end its nodes after the test."""
    with closing(Cluster(programs_in)) as made:
        yield made


@pytest.fixture
def primary(cluster: Cluster, migrated: Path) -> Node:
    """Return a running server with a migrated, empty database."""
    return cluster.copy("one", migrated)


@pytest.fixture
def standby(cluster: Cluster, primary: Node) -> Node:
    """Return a standby of `primary` that streams; no commit waits for it."""
    return cluster.standby("two", primary)
