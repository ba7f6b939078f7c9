"""Privileges of the present role: those that migrations need, and those that a process which serves needs."""

from collections.abc import Collection, Sequence
from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row

from store.schema_names import made

READ, APPEND, MOVE = ("SELECT",), ("SELECT", "INSERT"), ("SELECT", "INSERT", "UPDATE", "DELETE")
# The rights of a serving role on the tables that it does not move as it works; on every other table: MOVE.
PROTECTED = {
    "stored_events": APPEND,
    "schema_migrations": READ,
    "installation_keys": READ,
    "large_results": APPEND,
    "archived_executions": READ,
    "archived_figures": READ,
    "archived_counts": READ,
    "log_epochs": APPEND,
}
# The schemas of read tables in use and not in use, and that of a switch between them.
SCHEMAS = ("public", *made("schema"))

MAY_MIGRATE = """select current_user, current_database(), has_schema_privilege('public', 'USAGE'),
  has_schema_privilege('public', 'CREATE'), has_database_privilege(current_database(), 'CREATE'),
  coalesce((select has_language_privilege(oid, 'USAGE') from pg_language where lanname = 'plpgsql'), false)"""
OWNED_BY_OTHERS = """select c.relname, pg_get_userbyid(c.relowner) from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relname = any(%s) and c.relkind in ('r', 'p')
  and not pg_has_role(c.relowner, 'USAGE') order by 1"""
LACKED_TABLES = """select x.privilege || ' on ' || x.name
from unnest(%s::text[], %s::text[]) with ordinality as x(name, privilege, n)
where to_regclass('public.' || x.name) is not null
  and not has_table_privilege(to_regclass('public.' || x.name), x.privilege) order by x.n"""
LACKED_SEQUENCES = """select 'USAGE on ' || s.relname
from pg_class s join pg_depend d on d.objid = s.oid and d.deptype = 'a'
  join pg_class t on t.oid = d.refobjid
where t.relnamespace = 'public'::regnamespace and t.relname = any(%s)
  and case s.relkind when 'S' then not has_sequence_privilege(s.oid, 'USAGE') else false end order by 1"""
LACKED_SCHEMAS = """select x.privilege || ' on schema ' || x.name
from unnest(%s::text[], %s::text[]) with ordinality as x(name, privilege, n)
where to_regnamespace(x.name) is not null
  and not has_schema_privilege(to_regnamespace(x.name), x.privilege) order by x.n"""
LACKED_FUNCTIONS = """select 'EXECUTE on ' || p.proname from pg_proc p
where p.pronamespace = 'public'::regnamespace and p.proname = any(%s) and not has_function_privilege(p.oid, 'EXECUTE')
order by 1"""


class PrivilegesMissing(RuntimeError):
    """The role lacks privileges that the command needs. The text names each; nothing was changed."""


def require_migrating(connection: Connection[Any], pending: Sequence[str]) -> None:
    """Raise PrivilegesMissing if the role cannot apply the SQL texts `pending`."""
    role, database, may_use, may_create, may_create_schemas, may_program = _rows(connection, MAY_MIGRATE)[0]
    missing = []
    if not may_use:
        missing.append("USAGE on schema public")
    if not may_create:
        missing.append("CREATE on schema public")
    if not may_create_schemas and any("create schema" in sql for sql in pending):
        missing.append(f"CREATE on database {database}")
    if not may_program:
        missing.append("USAGE on language plpgsql")
    missing += [f"ownership of {table} (owner: {owner})" for table, owner in owned_by_others(connection)]
    if missing:
        raise PrivilegesMissing(f"to apply migrations the role {role} lacks: {', '.join(missing)}; nothing was applied")


def owned_by_others(connection: Connection[Any], tables: Collection[str] | None = None) -> list[tuple[str, str]]:
    """Return the tables that the present role does not own, each with its owner. tables: default: those of the log."""
    names = list(made("table") if tables is None else tables)
    return [(name, owner) for name, owner in _rows(connection, OWNED_BY_OTHERS, (names,))]


def require_serving(connection: Connection[Any], read: Collection[str] = (), written: Collection[str] = ()) -> None:
    """Raise PrivilegesMissing if the role cannot append, claim and query.

    read, written: read tables that it uses. A role that writes them also builds others, which take their place.
    """
    tables = {**{name: PROTECTED.get(name, MOVE) for name in made("table")}, **dict.fromkeys(read, READ)}
    tables |= dict.fromkeys(written, MOVE)
    pairs = [(name, privilege) for name, privileges in tables.items() for privilege in privileges]
    missing = _rows(connection, LACKED_TABLES, ([name for name, _ in pairs], [privilege for _, privilege in pairs]))
    missing += _rows(connection, LACKED_SEQUENCES, (list(made("table")),))
    missing += _rows(connection, LACKED_FUNCTIONS, (list(made("function")),))
    needed = [(name, privilege) for name in SCHEMAS for privilege in ("USAGE", "CREATE")] if written else []
    needed = needed or [("public", "USAGE")]
    missing += _rows(connection, LACKED_SCHEMAS, ([name for name, _ in needed], [each for _, each in needed]))
    missing += [(f"ownership of {name} (owner: {owner})",) for name, owner in owned_by_others(connection, written)]
    if missing:
        role = connection.info.user
        raise PrivilegesMissing(
            f"the role {role} lacks: {', '.join(text for (text,) in missing)}; "
            f"`procession migrate --grant-to {role}`, run by the owner of the tables, grants what is missing"
        )


def require_archiving(connection: Connection[Any]) -> None:
    """Raise PrivilegesMissing if the role cannot delete events and keep what stays of them."""
    tables = {"stored_events": MOVE, "large_results": MOVE, "archived_executions": APPEND, "archived_figures": APPEND}
    tables["archived_counts"] = MOVE
    pairs = [(name, privilege) for name, privileges in tables.items() for privilege in privileges]
    missing = _rows(connection, LACKED_TABLES, ([name for name, _ in pairs], [privilege for _, privilege in pairs]))
    if missing:
        raise PrivilegesMissing(
            f"the role {connection.info.user} lacks: {', '.join(text for (text,) in missing)}; "
            "the owner of the tables archives"
        )


def _rows(connection: Connection[Any], query: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, parameters).fetchall()
