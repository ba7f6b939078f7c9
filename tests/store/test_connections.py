"""The pool of connections: a lost one is replaced before its next use."""

from contextlib import closing

import psycopg

from store.connections import Connections
from tests.waiting import until


def test_a_connection_that_the_server_closed_a_moment_after_its_use_is_replaced(own_dsn: str) -> None:
    with closing(Connections(own_dsn, pool_size=1)) as connections, psycopg.connect(own_dsn, autocommit=True) as admin:
        with connections.reading() as connection:
            used = connection.info.backend_pid
            connection.execute("select 1")
        admin.execute("select pg_terminate_backend(%s)", (used,))
        gone = "select not exists (select from pg_stat_activity where pid = %s)"
        until(lambda: admin.execute(gone, (used,)).fetchone() == (True,))
        with connections.reading() as connection:
            assert connection.info.backend_pid != used
            assert connection.execute("select 1 as one").fetchone() == {"one": 1}
