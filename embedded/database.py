"""Connection strings of the embedded server, and the database on it."""

from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from .cluster import PORT, SUPERUSER
from .errors import EmbeddedPostgresUnavailable


def conninfo_of(socket_directory: Path, database: str) -> str:
    """Return the conninfo with which psycopg connects to a database over the server's Unix socket."""
    return make_conninfo(host=str(socket_directory), port=PORT, dbname=database, user=SUPERUSER)


def ensure_database(socket_directory: Path, database: str) -> None:
    """Create the database unless it exists; other processes may create it at the same time.

    Raises EmbeddedPostgresUnavailable when the server does not answer, for example while it is being killed.
    """
    try:
        with psycopg.connect(conninfo_of(socket_directory, "postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return  # another process was faster
    except psycopg.OperationalError as error:
        raise EmbeddedPostgresUnavailable(f"the server runs but does not let us in: {error}") from error
