"""The database of a test worker is as the template between tests, whatever the test before it did."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from tests.database import WorkerDatabase

EVENT: LiteralString = "insert into stored_events values (gen_random_uuid(), 1, 'Happened', '{}')"
CONTENT: LiteralString = """
select (select jsonb_object_agg(name, encode(value, 'hex')) from installation_keys),
  (select count(*) from schema_migrations), (select count(*) from stored_events), (select count(*) from projections),
  (select jsonb_agg(relname order by relname) from pg_class where relnamespace = 'public'::regnamespace),
  (select count(*) from pg_locks where locktype = 'advisory' and database = (
    select oid from pg_database where datname = current_database()))"""


@pytest.fixture(scope="module")
def database(server: str, template: str) -> Iterator[WorkerDatabase]:
    made = WorkerDatabase(server, template)
    yield made
    made.drop()


def run(dsn: str, statement: LiteralString) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(
    ("left", "emptied"),
    [
        (EVENT, True),
        ("create table made_by_a_test (id int primary key); create table rebuilding.too (id int)", True),
        ("update installation_keys set value = 'x'; insert into installation_keys values ('other', 'y')", True),
        ("delete from schema_migrations", True),
        ("insert into projections (name, digest) values ('p', 'd')", True),
        ("drop table due_steps", False),
        ("alter table due_steps add column extra text", False),
        ("create or replace function made_by_a_test() returns int language sql return 1", False),
        ("create schema made_by_a_test", False),
    ],
)
def test_what_a_test_left_is_gone(database: WorkerDatabase, left: LiteralString, emptied: bool) -> None:
    before = database.empty()
    fresh = run(before, CONTENT)
    run(before, left)

    after = database.empty()

    assert (after == before) == emptied
    fresh_keys, *fresh_rest = fresh[0]
    (keys, *rest) = run(after, CONTENT)[0]
    assert (keys, rest) == (fresh_keys, fresh_rest)
    assert run(after, f"{EVENT} returning notification_id") == [(1,)]


def test_positions_begin_at_one_again_after_appends_that_were_rolled_back(database: WorkerDatabase) -> None:
    with psycopg.connect(database.empty()) as connection:
        connection.execute(EVENT)
        connection.rollback()
    assert run(database.empty(), f"{EVENT} returning notification_id") == [(1,)]


def test_a_database_that_is_still_in_use_is_not_used_again(database: WorkerDatabase) -> None:
    before = database.empty()
    with psycopg.connect(before) as lost:
        lost.execute("select pg_advisory_lock(4711)")
        assert database.empty() != before
        with pytest.raises(psycopg.OperationalError):
            lost.execute("select 1")


def test_the_database_is_made_anew_when_its_connections_were_cut(database: WorkerDatabase) -> None:
    before = database.empty()
    run(
        before,
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid()",
    )
    assert database.empty() != before
