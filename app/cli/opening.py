"""What a command needs of the installation, opened for as long as it runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.output import Output
from app.database import Database
from app.logs import log_to_stderr
from app.settings import Settings, read_settings
from app.wiring import Wiring, wired


@contextmanager
def opened(
    output: Output,
    settings: Settings | None = None,
    *,
    migrate: bool = False,
    rehearsal: bool = False,
    log_level: int = logging.ERROR,
) -> Iterator[Wiring]:
    """The wiring on a migrated database. migrate: bring the database up to date, also one of DATABASE_URL.
    rehearsal: what commands would record is noted and not recorded.

    Raises BadSetting, NotMigrated, psycopg.OperationalError or EmbeddedPostgresUnavailable.
    """
    log_to_stderr(log_level)
    settings = settings or read_settings()
    with opened_database(output, settings) as database:
        if migrate:
            database.migrate()
        else:
            database.require_migrated()
        with wired(settings, database, rehearsal=rehearsal) as wiring:
            yield wiring


@contextmanager
def opened_database(output: Output, settings: Settings) -> Iterator[Database]:
    """The database as it is, held until the end."""
    with output.busy("starting PostgreSQL" if settings.database_url is None else "connecting"):
        database = Database(settings)
    with database:
        yield database
