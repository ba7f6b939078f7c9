"""The two connections of a build: one that cannot be opened closes the other."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import conninfo, sql

from projections.rebuilding import rebuild
from store.connections import connect
from store.datastore import Datastore
from store.granting import grant_serving
from tests.projections.releases import LIST, quiet
from tests.waiting import until

OPEN = "select 1 from pg_stat_activity where usename = %s"


@pytest.fixture
def crowded(own_dsn: str) -> Iterator[tuple[Datastore, Callable[[], int]]]:
    """Connections of a role that may have one beside that of its pool, and the number that it has."""
    name = "crowded_" + str(conninfo.conninfo_to_dict(own_dsn)["dbname"])
    role = sql.Identifier(name)
    with connect(own_dsn) as admin:
        admin.execute(sql.SQL("create role {} login password 'x' connection limit 2").format(role))
        grant_serving(admin, name, ())
        opened = Datastore(conninfo.make_conninfo(own_dsn, user=name, password="x"), pool_size=1)
        with opened.reading() as connection:
            connection.execute("select")
        yield opened, lambda: admin.execute(OPEN, (name,)).rowcount
        opened.close()
        admin.execute(sql.SQL("drop owned by {}").format(role))
        admin.execute(sql.SQL("drop role {}").format(role))


def test_a_build_that_gets_one_connection_closes_it(crowded):
    datastore, connections = crowded
    with datastore.connect():
        assert connections() == 2
    for _ in range(5):
        until(lambda: connections() == 1)
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            rebuild(datastore, LIST, quiet)
    until(lambda: connections() == 1)
