"""The code, message and exit code of each error that a command can raise; imported when a command fails."""

from collections.abc import Sequence

import psycopg

from app.cli.failures import FAILED, UNAVAILABLE, USAGE, Failure
from app.database import NotMigrated
from app.demo.examples import ExamplesMissing
from app.documents import FileUnreadable, MalformedFile
from app.secrets_in_use import SecretsUndecided
from app.settings import BadSetting
from app.sockets import AddressUnavailable
from commands.deciding import DecisionBroke, OutcomeOverdue, Unavailable
from domain.refusal import Forbidden, Malformed, Problem, Refusal
from embedded import EmbeddedPostgresUnavailable
from projections import ALL
from projections.building import RebuildRunning
from projections.differing import LiveBehind
from projections.pages import Broken
from projections.switching import HandOverRefused, NothingToSwitchTo
from projections.verifying import NotBuilt
from queries.reading import NotYet, ReadModelRebuilding
from store.migrating import MigrationChanged, SchemaElsewhere, SchemaTooNew
from store.privileges import PrivilegesMissing
from store.probing import DatabaseUnsuitable
from store.reading import UnknownEventMet
from store.trouble import trouble_of
from store.unit import OutcomeUnknown

OF_ANOTHER_RELEASE = "the read tables have the shape of another release; a projector of this release builds its own"


def explain(error: BaseException) -> tuple[str, str, int] | None:
    """Return the code, the message and the exit code of a known error, None for every other."""
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
        case SecretsUndecided():
            return "secrets_undecided", str(error), UNAVAILABLE
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
        case DecisionBroke():
            return "decision_broke", str(error), FAILED
        case DatabaseUnsuitable() | SchemaElsewhere():
            return "unsuitable_database", str(error), UNAVAILABLE
        case PrivilegesMissing():
            return "privileges_missing", str(error), UNAVAILABLE
        case OutcomeOverdue():
            return error.code, str(error), UNAVAILABLE
        case psycopg.errors.InsufficientPrivilege() if (trouble := trouble_of(error)) is not None:
            return trouble.code, f"{trouble.detail} ({_first_line(error)})", UNAVAILABLE
        case _ if (trouble := trouble_of(error)) is not None:
            return trouble.code, trouble.detail, UNAVAILABLE
        case EmbeddedPostgresUnavailable() | Unavailable() | OutcomeUnknown():
            return "unavailable", str(error), UNAVAILABLE
        case psycopg.errors.UndefinedColumn():
            return "read_model_rebuilding", OF_ANOTHER_RELEASE, UNAVAILABLE
        case psycopg.errors.UndefinedTable() if _is_added(error):
            return "read_model_rebuilding", OF_ANOTHER_RELEASE, UNAVAILABLE
        case psycopg.errors.UndefinedTable():
            return "not_migrated", "the database lacks tables of this release; run `procession migrate` first", FAILED
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return "unavailable", f"the database cannot be used: {_first_line(error)}", UNAVAILABLE
        case psycopg.Error():
            return "database", f"the database refuses: {_first_line(error)}", FAILED
        case _:
            return None


def problems_of(error: BaseException) -> Sequence[Problem]:
    """Return the problems that the error lists."""
    return error.problems if isinstance(error, Malformed | Forbidden) else ()


def source_of(error: BaseException) -> str:
    """Return the file that the problems are in, empty where there is none."""
    return error.source if isinstance(error, MalformedFile) else ""


def _is_added(error: psycopg.errors.UndefinedTable) -> bool:
    """Return whether the table is a further one of a read model that other releases have too."""
    message = error.diag.message_primary or ""
    return any(f'"{table}"' in message for projection in ALL for table in projection.tables[1:])


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].removeprefix("connection failed: ") if lines else type(error).__name__
