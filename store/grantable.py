"""Whether the present role can grant to another what it needs to serve."""

from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row

from store.privileges import SCHEMAS, PrivilegesMissing, owned_by_others

ROLE = "select pg_has_role(oid, 'MEMBER') from pg_roles where rolname = %s"
# Privileges that the role neither has nor gets from the present one; the owner of a database or a schema grants all.
NOT_GRANTABLE = """select w.privilege || ' on ' || w.name from (
  select p.privilege, 'database ' || current_database() as name,
    has_database_privilege(%(role)s, current_database(), p.privilege)
      or has_database_privilege(current_database(), p.privilege || ' WITH GRANT OPTION') as fine
  from unnest(array['CONNECT', 'TEMPORARY']) as p(privilege)
  union all
  select p.privilege, 'schema ' || n.nspname,
    has_schema_privilege(%(role)s, n.oid, p.privilege)
      or has_schema_privilege(n.oid, p.privilege || ' WITH GRANT OPTION')
  from pg_namespace n, unnest(array['USAGE', 'CREATE']) as p(privilege) where n.nspname = any(%(schemas)s)) w
where not w.fine order by 1"""


def require_granting(connection: Connection[Any], role: str) -> None:
    """Raise PrivilegesMissing if the present role cannot grant what `role` needs to serve."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(ROLE, (role,)).fetchone()
        lacked = cursor.execute(NOT_GRANTABLE, {"role": role, "schemas": list(SCHEMAS)}).fetchall() if found else []
    user = connection.info.user
    if found is None:
        raise PrivilegesMissing(f"there is no role {role}; create role {role} login makes it")
    if not found[0]:
        raise PrivilegesMissing(
            f"{user} cannot make {role} the owner of the read tables: grant {role} to {user}; nothing was granted"
        )
    missing = [f"ownership of {name} (owner: {owner})" for name, owner in owned_by_others(connection)]
    missing += [f"{privilege} with grant option" for (privilege,) in lacked]
    if missing:
        raise PrivilegesMissing(f"to grant to {role} the role {user} lacks: {', '.join(missing)}; nothing was granted")
