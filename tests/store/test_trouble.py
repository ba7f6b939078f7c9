"""The troubles of a database, by what a real server answers."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import conninfo, sql

from store.connections import Connections
from store.trouble import trouble_of


@pytest.fixture
def role(own_dsn: str) -> Iterator[str]:
    """A role that may open no connection; the address with it."""
    name = "limited_" + conninfo.conninfo_to_dict(own_dsn)["dbname"]  # type: ignore[operator]
    with psycopg.connect(own_dsn, autocommit=True) as admin:
        make = sql.SQL("create role {} login password 'x' connection limit 0")
        admin.execute(make.format(sql.Identifier(name)))
        yield conninfo.make_conninfo(own_dsn, user=name, password="x")
        admin.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def test_a_server_that_accepts_no_more_connections_is_named(role: str) -> None:
    connections = Connections(role, pool_size=1)
    trouble = connections.trouble()
    connections.close()
    assert trouble is not None
    assert trouble.code == "too_many_database_connections"


def test_a_server_that_accepts_or_cannot_be_reached_has_no_known_trouble(own_dsn: str) -> None:
    for dsn in (own_dsn, "host=127.0.0.1 port=1 user=nobody"):
        connections = Connections(dsn, pool_size=1)
        assert connections.trouble() is None
        connections.close()


def test_the_cause_of_an_error_is_found() -> None:
    assert trouble_of(None) is None
    assert trouble_of(ValueError("53100")) is None
    try:
        try:
            raise psycopg.errors.DiskFull("full")
        except psycopg.Error as error:
            raise RuntimeError("could not record") from error
    except RuntimeError as error:
        found = trouble_of(error)
    assert found is not None
    assert found.code == "disk_full"
