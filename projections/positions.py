"""The position of each projection, moved in the transaction that writes its rows."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

READ = "select application_name, notification_id from notification_tracking where application_name = any(%s)"
# In the order of names: two transactions that move several positions never wait for each other in a circle.
LOCK = f"{READ} order by application_name for update"
# As the library's own statement does for one name: a position never moves back. One statement for all read models.
ADVANCE = """insert into notification_tracking as t (application_name, notification_id)
select unnest(%s::text[]), %s::bigint
on conflict (application_name) do update set notification_id = excluded.notification_id
where t.notification_id < excluded.notification_id"""


class Moved(Exception):
    """The position has changed since it was read: by another process, or by a rebuild. Read it again."""


class Positions:
    """Positions as the event sourcing library tracks them: forward only."""

    def read(self, connection: Connection[Any], names: Sequence[str]) -> dict[str, int]:
        """Return positions by name; names without a position are left out."""
        return _positions(connection, READ, names)

    def lock(self, connection: Connection[Any], names: Sequence[str]) -> dict[str, int]:
        """Return the same, and lock them: no other process moves them before the end of the transaction."""
        return _positions(connection, LOCK, names)

    def move(self, connection: Connection[Any], names: Sequence[str], after: int, until: int) -> None:
        """Move from `after` to `until`, before the rows are written. Raises Moved when a position is elsewhere."""
        found = self.lock(connection, names)
        for name in names:
            if found.get(name) != after:
                raise Moved(f"{name} is at {found.get(name)}, not at {after}")
        self.advance(connection, names, until)

    def advance(self, connection: Connection[Any], names: Sequence[str], until: int) -> None:
        """Move all to `until` in one round trip. Raises Moved when that is not forward for one of them."""
        moved = connection.execute(ADVANCE, (list(names), until), prepare=True).rowcount
        if moved != len(names):
            raise Moved(f"not all of {', '.join(names)} are before {until}")


def _positions(connection: Connection[Any], query: str, names: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(query, (list(names),), prepare=True).fetchall()
    return {row["application_name"]: row["notification_id"] for row in rows}
