"""A real PostgreSQL server from a wheel, shared by all processes of one user's home and stopped after the last one."""

from collections.abc import Mapping
from pathlib import Path

from .errors import EmbeddedPostgresUnavailable
from .server import Embedded

__all__ = ["Embedded", "EmbeddedPostgresUnavailable", "embedded"]


def embedded(home: Path, *, database: str = "procession", settings: Mapping[str, str] | None = None) -> Embedded:
    """Start the PostgreSQL of a home, or join it if it runs, and hold it until the result is closed.

    home: the directory of this installation's data; PostgreSQL's is in `<home>/postgres`.
    database: created if it does not exist.
    settings: PostgreSQL settings by name, added to ours; they take effect when this call starts the server.
    Raises EmbeddedPostgresUnavailable with what is missing on this system, ValueError for a malformed setting's name.
    """
    return Embedded(home, database, settings or {})
