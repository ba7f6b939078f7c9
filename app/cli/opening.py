"""Opens the parts of the installation that a command needs, for as long as the command runs."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from app.cli.output import CommandOutput
from app.logs import log_to_stderr
from app.settings import Settings, read_settings

if TYPE_CHECKING:
    from app.database import Database
    from app.wiring import Wiring
    from queries.reading import Reading

# Each function imports the parts that it opens: a query needs no commands, and a migration neither.


@contextmanager
def opened(
    output: CommandOutput,
    settings: Settings | None = None,
    *,
    migrate: bool = False,
    projecting: bool = False,
    rehearsal: bool = False,
    log_level: int = logging.ERROR,
    role: str = "",
) -> "Iterator[Wiring]":
    """Open the wiring on a migrated database. migrate: probe the database and bring it up to date, also one of
    DATABASE_URL; require the privileges to serve. projecting: and those to keep read tables up.
    rehearsal: record nothing; collect the events that commands would record. role: names the connections.

    Raises BadSetting, NotMigrated, SecretsUndecided, psycopg.OperationalError or EmbeddedPostgresUnavailable.
    """
    from app.process import collect_seldom
    from app.wiring import wired

    log_to_stderr(log_level)
    collect_seldom(oldest=0)
    settings = settings or read_settings()
    with opened_database(output, settings, role) as database:
        if migrate:
            from app.secrets_in_use import require_decided

            require_decided(database, settings, output.note)
            database.migrate(serving=True, projecting=projecting)
        else:
            database.require_migrated()
        with wired(settings, database, rehearsal=rehearsal) as wiring:
            yield wiring


@contextmanager
def opened_reading(output: CommandOutput) -> "Iterator[Reading]":
    """Open a migrated database for queries only, which wait for what was recorded before. Raises as `opened` does."""
    from app.cli.caught_up import caught_up
    from queries.progress import ExecutionProgress
    from queries.reading import Reading

    # Progress without the shapes of this release spares the import of every projection: `explaining` reports tables of
    # another shape.

    log_to_stderr(logging.ERROR)
    with opened_database(output, read_settings()) as database:
        database.require_migrated()
        with (
            closing(database.connections()) as main,
            closing(database.replica(main) or main) as read,
            caught_up(output, Reading(read, ExecutionProgress(main, read))) as reading,
        ):
            yield reading


@contextmanager
def opened_database(output: CommandOutput, settings: Settings, role: str = "") -> "Iterator[Database]":
    """Open the database as it is. role: names the connections."""
    from app.database import Database

    with output.busy("starting PostgreSQL" if settings.database_url is None else "connecting"):
        database = Database(settings, role)
    with database:
        yield database
