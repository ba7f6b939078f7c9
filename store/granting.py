"""Grants for a role that serves: it appends, moves lists and builds read tables, and cannot change or delete events."""

from collections.abc import Collection
from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Identifier

from store.grantable import require_granting
from store.privileges import MOVE, PROTECTED, SCHEMAS
from store.schema_names import made

SEQUENCES = """select distinct s.relname from pg_class s join pg_depend d on d.objid = s.oid and d.deptype = 'a'
  join pg_class t on t.oid = d.refobjid
where s.relkind = 'S' and t.relnamespace = 'public'::regnamespace and t.relname = any(%s)"""
FUNCTIONS = """select oid::regprocedure::text from pg_proc
where pronamespace = 'public'::regnamespace and proname = any(%s)"""
NOT_OWNED = """select schemaname, tablename from pg_tables
where (schemaname = any(%s) or schemaname = 'public' and tablename = any(%s)) and tableowner <> %s"""


def grant_serving(connection: Connection[Any], role: str, read_tables: Collection[str]) -> None:
    """Grant `role` what `procession up`, serve, work and rebuilds need, in one transaction. Safe to repeat.

    The role owns the read tables afterwards, since a build replaces them. Raises PrivilegesMissing.
    """
    require_granting(connection, role)
    tables = {name: PROTECTED.get(name, MOVE) for name in made("table")}
    to, database = Identifier(role), Identifier(connection.info.dbname)
    statements = [
        SQL("grant connect, temporary on database {} to {}").format(database, to),
        SQL("grant usage, create on schema {} to {}").format(_names(SCHEMAS), to),
    ]
    for name, privileges in tables.items():
        table = Identifier("public", name)
        if lost := [each for each in ("UPDATE", "DELETE", "TRUNCATE") if name in PROTECTED and each not in privileges]:
            statements.append(SQL("revoke {} on {} from {}").format(SQL(", ").join(map(SQL, lost)), table, to))
        statements.append(SQL("grant {} on {} to {}").format(SQL(", ").join(map(SQL, privileges)), table, to))
    for (name,) in _rows(connection, SEQUENCES, (list(tables),)):
        statements.append(SQL("grant usage, select on sequence {} to {}").format(Identifier("public", name), to))
    for (signature,) in _rows(connection, FUNCTIONS, (list(made("function")),)):
        statements.append(SQL("grant execute on function {} to {}").format(SQL(signature), to))
    # A change of the owner waits for every query of the table, so each is made once.
    others = _rows(connection, NOT_OWNED, (list(made("schema")), list(read_tables), role))
    statements += [SQL("alter table {} owner to {}").format(Identifier(*table), to) for table in others]
    with connection.transaction():
        for statement in statements:
            connection.execute(statement)


def _names(names: Collection[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _rows(connection: Connection[Any], query: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, parameters).fetchall()
