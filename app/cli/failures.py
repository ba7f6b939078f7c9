"""Which exit code a failure has, and what is said about it: one clear line, and never a traceback for a known one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import typer

from app.cli.output import Output
from app.database import NotMigrated
from app.demo.examples import ExamplesMissing
from app.documents import FileUnreadable, MalformedFile
from app.settings import BadSetting
from app.sockets import AddressUnavailable
from commands.deciding import Unavailable
from domain.refusal import Malformed, Refusal
from embedded import EmbeddedPostgresUnavailable
from projections.building import RebuildRunning
from projections.differing import LiveBehind
from projections.pages import Broken
from projections.switching import HandOverRefused, NothingToSwitchTo
from projections.verifying import NotBuilt
from queries.reading import NotYet, ReadModelRebuilding
from store.migrating import MigrationChanged, SchemaTooNew
from store.reading import UnknownEventMet
from store.unit import OutcomeUnknown

FAILED, USAGE, UNAVAILABLE = 1, 2, 3


class Failure(Exception):
    """A command did not do what it was asked to. code: for programs."""

    def __init__(self, code: str, message: str, *, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = exit_code


@contextmanager
def failing(context: Any) -> Iterator[None]:
    """What the command inside raises ends it with a message and an exit code; what nobody foresaw goes on."""
    try:
        yield
    except BaseException as error:
        told = explain(error)
        if told is None:
            raise
        code, message, exit_code = told
        output = context.find_root().obj or Output(json=False)
        problems = error.problems if isinstance(error, Malformed) else ()
        output.error(code, message, problems, error.source if isinstance(error, MalformedFile) else "")
        raise typer.Exit(exit_code) from None


def explain(error: BaseException) -> tuple[str, str, int] | None:
    """The code, the message and the exit code of an error; None for one that nobody foresaw."""
    match error:
        case Failure():
            return error.code, str(error), error.exit_code
        case BadSetting():
            return "bad_setting", str(error), USAGE
        case ExamplesMissing():
            return "examples_missing", str(error), USAGE
        case FileUnreadable():
            return "file_unreadable", str(error), USAGE
        case NotYet() | ReadModelRebuilding():
            return error.code, error.message, UNAVAILABLE
        case Refusal():
            return error.code, error.message, FAILED
        case NotMigrated():
            return "not_migrated", str(error), FAILED
        case RebuildRunning():
            return "rebuild_running", str(error), FAILED
        case NothingToSwitchTo():
            return "nothing_to_switch_to", str(error), FAILED
        case HandOverRefused() | LiveBehind():
            return "projection_busy", str(error), UNAVAILABLE
        case UnknownEventMet():
            return "unknown_event", f"the read model {error}", FAILED
        case NotBuilt() | Broken():
            return "projection_broken", str(error), FAILED
        case SchemaTooNew() | MigrationChanged():
            return "schema_differs", str(error), FAILED
        case AddressUnavailable():
            return "address_unavailable", str(error), FAILED
        case EmbeddedPostgresUnavailable() | Unavailable() | OutcomeUnknown():
            return "unavailable", str(error), UNAVAILABLE
        case psycopg.errors.UndefinedTable():
            return "not_migrated", "the database lacks tables of this release; run `procession migrate` first", FAILED
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return "unavailable", f"the database cannot be used: {_first_line(error)}", UNAVAILABLE
        case psycopg.Error():
            return "database", f"the database refuses: {_first_line(error)}", FAILED
        case _:
            return None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
