"""Which exit code a failure has, and what is said about it: one clear line, and never a traceback for a known one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import typer

from app.cli.output import Output
from app.database import NotMigrated
from app.settings import BadSetting
from app.sockets import AddressUnavailable
from commands.deciding import Unavailable
from domain.refusal import Malformed, Refusal
from queries.reading import NotYet
from store.embedded import EmbeddedPostgresUnavailable
from store.migrating import MigrationChanged, SchemaTooNew
from store.unit import OutcomeUnknown

FAILED, USAGE, UNAVAILABLE = 1, 2, 3


class Failure(Exception):
    """A command did not do what it was asked to. code: for programs; exit: the exit code."""

    def __init__(self, code: str, message: str, *, exit: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.exit = exit


@contextmanager
def failing(context: Any) -> Iterator[None]:
    """What the command inside raises ends it with a message and an exit code. What nobody foresaw goes on, to be reported."""
    try:
        yield
    except BaseException as error:
        told = explain(error)
        if told is None:
            raise
        code, message, exit = told
        output = context.find_root().obj or Output(json=False)
        problems = error.problems if isinstance(error, Malformed) else ()
        output.error(code, message, problems, getattr(error, "source", ""))
        raise typer.Exit(exit) from None


def explain(error: BaseException) -> tuple[str, str, int] | None:
    """The code, the message and the exit code of an error; None for one that nobody foresaw."""
    match error:
        case Failure():
            return error.code, str(error), error.exit
        case BadSetting():
            return "bad_setting", str(error), USAGE
        case NotYet():
            return error.code, error.message, UNAVAILABLE
        case Refusal():
            return error.code, error.message, FAILED
        case NotMigrated():
            return "not_migrated", str(error), FAILED
        case SchemaTooNew() | MigrationChanged():
            return "schema_differs", str(error), FAILED
        case AddressUnavailable():
            return "address_unavailable", str(error), FAILED
        case EmbeddedPostgresUnavailable() | Unavailable() | OutcomeUnknown():
            return "unavailable", str(error), UNAVAILABLE
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return "unavailable", f"the database cannot be used: {_first_line(error)}", UNAVAILABLE
        case _:
            return None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
