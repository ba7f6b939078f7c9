"""One database per test worker: emptied between tests, recreated when a test leaves connections or another shape."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, conninfo, sql

LEAVING_SECONDS = 1.0

# Lives in the worker's database, beside the tables under test. `reset` drops the tables that a test created, empties
# the tables that it filled and restarts sequences. It returns false when the shape of tables, constraints, indexes or
# functions differs from the template.
RESET = """
create schema resetting;
create view resetting.schemas as select oid from pg_namespace
where nspname !~ '^pg_' and nspname not in ('information_schema', 'resetting');
create table resetting.relations as select oid from pg_class
where relnamespace in (select oid from resetting.schemas);

create function resetting.shape() returns text language sql as $$
  select md5(string_agg(part, ' ' order by part)) from (
    select concat_ws(',', attrelid, attnum, attname, atttypid, attnotnull, atthasdef, attidentity) as part
    from pg_attribute where attrelid in (select oid from resetting.relations) and attnum > 0
    union all select concat_ws(',', oid, convalidated) from pg_constraint
    where connamespace in (select oid from pg_namespace where nspname !~ '^pg_|^information_schema$')
    union all select indexrelid::text from pg_index where indrelid in (select oid from resetting.relations)
    union all select concat_ws(',', oid, relnamespace, relname) from pg_class
    where oid in (select oid from resetting.relations)
    union all select concat_ws(',', oid, xmin) from pg_proc where pronamespace in (select oid from resetting.schemas)
    union all select oid::text from pg_trigger where tgrelid in (select oid from resetting.relations)
    union all select concat_ws(',', oid, typname) from pg_type where typrelid = 0 and typelem = 0
    union all select concat_ws(',', oid, nspname) from pg_namespace where nspname !~ '^pg_') as parts $$;

create function resetting.reset() returns boolean language plpgsql as $$
declare
  made text; filled text; name text; kept regclass; differs boolean;
begin
  select string_agg(oid::regclass::text, ', ') into made from pg_class
  where relnamespace in (select oid from resetting.schemas) and relkind in ('r', 'p')
    and oid not in (select oid from resetting.relations);
  if made is not null then
    execute 'drop table ' || made || ' cascade';
  end if;
  if resetting.shape() <> (select shape from resetting.original) then
    return false;
  end if;
  for name in select oid::regclass::text from pg_class
    where oid in (select oid from resetting.relations) and relkind = 'r'
  loop
    kept := to_regclass(format('resetting.%I', name));
    if kept is not null then
      execute format('select exists((table %1$s except table %2$s) union all (table %2$s except table %1$s))',
        name, kept) into differs;
      if differs then
        execute format('delete from %1$s; insert into %1$s table %2$s', name, kept);
      end if;
    else
      execute format('select exists(select from %s)', name) into differs;
      if differs then
        filled := concat_ws(', ', filled, name);
      end if;
    end if;
  end loop;
  if filled is not null then
    execute 'truncate ' || filled;
  end if;
  perform setval(oid::regclass, 1, false) from pg_class
  where oid in (select oid from resetting.relations) and relkind = 'S';
  return true;
end $$;
"""
TABLES = "select oid::regclass::text from pg_class where oid in (select oid from resetting.relations) and relkind = 'r'"
OTHERS = """
select count(*) from pg_sleep(0.001), pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"""


@contextmanager
def cloned(server: str, template: str = "template1") -> Iterator[str]:
    """Yield the conninfo of a clone of the template, by default an empty database; drop the clone whoever uses it."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        # A copy of files takes a third of the time, unless the server has to write each of them to the disk.
        (durable,) = admin.execute("show fsync").fetchone() or ("on",)
        strategy = sql.SQL("wal_log" if durable == "on" else "file_copy")
        create = sql.SQL("create database {} template {} strategy {}")
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(template), strategy))
        try:
            yield conninfo.make_conninfo(server, dbname=name)
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def name_of(dsn: str) -> str:
    """Return the name of the database of a conninfo."""
    return str(conninfo.conninfo_to_dict(dsn)["dbname"])


class WorkerDatabase:
    """The one database of a test worker; its tests use it one after another."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._clone: Any = None
        self._connection: Connection[Any] | None = None
        self._dsn = ""

    def empty(self) -> str:
        """Return the conninfo of a database equal to the template: the previous test's, emptied, or a new clone."""
        if self._clone is not None and not self._reset():
            self.drop()
        if self._clone is None:
            self._clone = cloned(self._server, self._template)
            self._dsn = self._clone.__enter__()
            self._connection = psycopg.connect(self._dsn, autocommit=True)
            self._prepare(self._connection)
        return self._dsn

    def drop(self) -> None:
        """Drop the database, also while connections use it."""
        if self._connection is not None:
            self._connection.close()
        if self._clone is not None:
            self._clone.__exit__(None, None, None)
        self._clone = self._connection = None

    def _prepare(self, connection: Connection[Any]) -> None:
        connection.execute(RESET)
        for (name,) in connection.execute(TABLES).fetchall():
            table = sql.Identifier(name)
            if connection.execute(sql.SQL("select 1 from {} limit 1").format(table)).fetchone():
                connection.execute(sql.SQL("create table resetting.{0} as table {0}").format(table))
        connection.execute("create table resetting.original as select resetting.shape() as shape")

    def _reset(self) -> bool:
        connection = self._connection
        assert connection is not None
        try:
            if not self._left(connection):
                return False
            row = connection.execute("select resetting.reset()").fetchone()
        except psycopg.OperationalError:  # the test ended this connection too, or left a lock
            return False
        return row == (True,)

    def _left(self, connection: Connection[Any]) -> bool:
        """Return whether every connection of the test has ended; a closed connection ends a moment later."""
        deadline = time.monotonic() + LEAVING_SECONDS
        while connection.execute(OTHERS).fetchone() != (0,):
            if time.monotonic() > deadline:
                return False
        return True
