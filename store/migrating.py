"""Forward-only migrations: numbered SQL files, each applied once, in order, under a lock."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from psycopg import Connection

from store.connections import connect
from store.locks import MIGRATION_LOCK, take_lock
from store.privileges import PrivilegesMissing, require_migrating
from store.schema_names import made

__all__ = ["MIGRATION_LOCK", "MigrationChanged", "SchemaElsewhere", "SchemaTooNew", "migrate", "migrations", "pending"]

MIGRATING = "procession migrate"
LEDGER = """create table if not exists schema_migrations (
  number int primary key, name text not null, digest text not null, applied_at timestamptz not null default now())"""

LEDGERS = """select n.nspname, has_schema_privilege(n.oid, 'USAGE'), has_table_privilege(c.oid, 'SELECT'), exists (
    select from pg_attribute a where a.attrelid = c.oid and a.attname = 'digest' and not a.attisdropped)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relname = 'schema_migrations' and c.relkind = 'r'"""

TAKEN = """select relname from pg_class
where relnamespace = 'public'::regnamespace and relname = any(%s) order by 1"""


class MigrationChanged(RuntimeError):
    """The text of an applied migration has changed. Migrations are never edited; a change needs a new one."""


class SchemaElsewhere(RuntimeError):
    """The tables are in a schema that this release does not use, or their names belong to another program."""


class SchemaTooNew(RuntimeError):
    """A newer release than this one migrated the database."""


def migrations() -> list[tuple[int, str, str]]:
    """Return (number, file name, SQL) of every migration, in order."""
    found = [file for file in files("store").joinpath("migrations").iterdir() if file.name.endswith(".sql")]
    return sorted((int(file.name[:4]), file.name, file.read_text("utf-8")) for file in found)


def migrate(dsn: str, read_tables: Sequence[str] = ()) -> list[str]:
    """Apply the missing migrations; return their names. Several processes may call it at once.

    Each migration is one transaction: an interruption leaves whole ones. A role that may not create tables can call it
    when nothing is missing. read_tables: names that must be free before the first migration, beside those of its own.
    Raises MigrationChanged, SchemaTooNew, SchemaElsewhere, PrivilegesMissing before anything is applied, or
    psycopg.Error when the server cannot be reached.
    """
    with connect(dsn, MIGRATING, lock_timeout="0") as connection:
        missing = _missing(connection)
        if not missing:
            return []
        require_migrating(connection, [sql for _, _, sql in missing])
        # A lock of a transaction, held beside those of the migrations: neither a pooler nor a lost process keeps it.
        with connect(dsn, f"{MIGRATING} lock") as keeper, keeper.transaction():
            take_lock(keeper, MIGRATION_LOCK)
            _require_free(connection, _missing(connection), read_tables)
            connection.execute(LEDGER)
            missing = _pending(connection)
            for number, name, sql in missing:
                _apply(connection, number, name, sql)
        return [name for _, name, _ in missing]


def pending(dsn: str) -> list[str]:
    """Return the names of the migrations that the database lacks; change nothing."""
    with connect(dsn) as connection:
        return [name for _, name, _ in _missing(connection)]


def rehearse(dsn: str, read_tables: Sequence[str] = ()) -> list[str]:
    """Return the names of the migrations that `migrate` would apply; change nothing. Raises what `migrate` raises."""
    with connect(dsn) as connection:
        missing = _missing(connection)
        if missing:
            require_migrating(connection, [sql for _, _, sql in missing])
        _require_free(connection, missing, read_tables)
        return [name for _, name, _ in missing]


def _missing(connection: Connection[Any]) -> list[tuple[int, str, str]]:
    ledgers = {schema: facts for schema, *facts in connection.execute(LEDGERS).fetchall()}
    if "public" in ledgers:
        reachable, readable, ours = ledgers["public"]
        if not ours:
            raise SchemaElsewhere("the table schema_migrations is another program's; use a database of its own")
        if not (reachable and readable):
            lacked = "SELECT on schema_migrations" if reachable else "USAGE on schema public"
            raise PrivilegesMissing(f"the role {connection.info.user} lacks: {lacked}")
        return _pending(connection)
    for schema, (_, _, ours) in ledgers.items():
        if ours:
            raise SchemaElsewhere(
                f"the tables are in the schema {schema}, and this release uses public only: "
                f"alter each table and function of {schema} with `set schema public`"
            )
    return migrations()


def _require_free(
    connection: Connection[Any], missing: Sequence[tuple[int, str, str]], read_tables: Sequence[str]
) -> None:
    """Raise SchemaElsewhere if tables of our names exist before the first migration."""
    if len(missing) < len(migrations()):
        return
    names = [*made("table"), *read_tables]
    taken = [name for (name,) in connection.execute(TAKEN, (names,)).fetchall() if name != "schema_migrations"]
    if taken:
        raise SchemaElsewhere(f"another program has tables named {', '.join(taken)}; use a database of its own")


def _pending(connection: Connection[Any]) -> list[tuple[int, str, str]]:
    applied = dict(connection.execute("select number, digest from schema_migrations").fetchall())
    known = migrations()
    if applied and max(applied) > known[-1][0]:
        raise SchemaTooNew(f"the database is at migration {max(applied)}, this release knows {known[-1][0]}")
    for number, name, sql in known:
        if number in applied and applied[number] != _digest(sql):
            raise MigrationChanged(f"{name} was applied with other contents")
    return [migration for migration in known if migration[0] not in applied]


def _apply(connection: Connection[Any], number: int, name: str, sql: str) -> None:
    import secrets  # imports much, and few commands apply a migration

    with connection.transaction():
        connection.execute(sql)
        connection.execute(
            "insert into schema_migrations (number, name, digest) values (%s, %s, %s)", (number, name, _digest(sql))
        )
        connection.execute(
            "insert into installation_keys (name, value) values ('callback', %s) on conflict do nothing",
            (secrets.token_bytes(32),),
        )


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
