"""Fixtures of all tests: one embedded server a run, and one database for each test worker, emptied between tests."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from embedded import EmbeddedPostgresUnavailable, embedded
from projections.tables import create_read_tables
from store.datastore import Datastore
from store.log import Log
from store.migrating import migrate
from tests.database import WorkerDatabase, cloned, name_of

# The databases of tests need not survive a crash of the machine; tests of durability have servers of their own.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# Fixtures that begin with read tables: emptying these between tests costs less than creating them again.
READING = {"read_tables", "database"}

WorkerDatabases = list[WorkerDatabase]

# Hundreds of processes that tests start read compiled modules, which takes a third of the time of compiling them.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell's background job ignores SIGINT, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A test that names no database must not find the installation of who runs it.
os.environ["PROCESSION_HOME"] = os.devnull

# Files that take longest, the longest first: begun early, none of them is left for one worker at the end.
LONGEST_FIRST = (
    "docs/test_commands.py",
    "web/test_process_browser.py",
    "web/test_operations_browser.py",
    "web/test_browser.py",
    "web/test_every_act_by_keys.py",
    "web/test_extreme_parameters.py",
    "upgrade/",
    "_browser.py",
    "journeys/",
    "clusters/",
    "app/test_long_running_commands.py",
    "embedded/",
    "app/test_start_time.py",
    "api/test_api_description.py",
    "web/test_pictures.py",
    "laws/",
    "simulation/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the others stay in random order behind them."""

    def rank(item: pytest.Item) -> int:
        file = str(item.path)
        return next((at for at, part in enumerate(LONGEST_FIRST) if part in file), len(LONGEST_FIRST))

    items.sort(key=rank)


settings.register_profile(
    "procession", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("procession")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the conninfo of the tests' server: the one of DATABASE_URL, or one embedded server for all test workers."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    shared = tmp_path_factory.getbasetemp()
    home = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared
    running = embedded(Path(home) / "home", settings=FAST)
    yield running.conninfo
    running.close(wait=True)
    try:
        assert running.postmaster_pid  # another test worker still uses the server, and removes it later
    except EmbeddedPostgresUnavailable:
        shutil.rmtree(running.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """Yield the name of a migrated, empty database to clone."""
    with cloned(server) as made:
        migrate(made)
        yield name_of(made)


@pytest.fixture(scope="session")
def worker_databases(server: str, template: str) -> Iterator[WorkerDatabases]:
    """Yield the databases of this worker's tests, one without read tables and one with empty read tables."""
    with cloned(server, template) as read_template:
        with psycopg.connect(read_template) as connection:
            create_read_tables(connection)
        databases = [WorkerDatabase(server, name) for name in (template, name_of(read_template))]
        yield databases
        for database in databases:
            database.drop()


@pytest.fixture
def dsn(request: pytest.FixtureRequest, worker_databases: WorkerDatabases) -> str:
    """Return the conninfo of a migrated, empty database that no other test uses meanwhile."""
    return worker_databases[not READING.isdisjoint(request.fixturenames)].empty()


@pytest.fixture
def own_dsn(server: str, template: str) -> Iterator[str]:
    """Yield the conninfo of a migrated, empty database; drop the database after the test."""
    with cloned(server, template) as made:
        yield made


@pytest.fixture
def datastore(dsn: str) -> Iterator[Datastore]:
    """Yield connections to a migrated, empty database that no other test uses meanwhile."""
    opened = Datastore(dsn, pool_size=10)
    yield opened
    opened.close()


@pytest.fixture
def log(datastore: Datastore) -> Iterator[Log]:
    """Yield the log of an empty database."""
    with closing(Log(datastore)) as opened:
        yield opened


@pytest.fixture
def read_tables(datastore: Datastore) -> Datastore:
    """Return connections to a database with empty read tables."""
    with datastore.reading() as connection:
        create_read_tables(connection)
    return datastore
