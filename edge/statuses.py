"""The HTTP status and headers of every refusal, for both doors."""

from commands.deciding import Unavailable
from commands.trials import TooManyTrials
from domain.archive.refusals import ExecutionArchived
from domain.executions.decisions.refusals import ApproverNotNamed
from domain.refusal import Forbidden, Malformed, NotFound, Refusal, Stale
from domain.templates.decisions import NotTemplateKeeper
from edge.refusals import (
    BadRequest,
    ForeignOrigin,
    HostNotAllowed,
    Interrupted,
    NotPermitted,
    SecretUnavailable,
    TokenInvalid,
    TooLarge,
    TooManyStreams,
    Unauthorised,
    WrongMediaType,
)
from queries.paging import BadCursor
from queries.reading import RETRY_AFTER_SECONDS, NotYet, ReadModelRebuilding
from store.unit import Outage

STATUS: dict[type[Refusal], int] = {
    BadRequest: 400,
    BadCursor: 400,
    Interrupted: 400,
    Unauthorised: 401,
    TokenInvalid: 403,
    NotPermitted: 403,
    ForeignOrigin: 403,
    ApproverNotNamed: 403,
    NotTemplateKeeper: 403,
    NotFound: 404,
    ExecutionArchived: 410,
    Forbidden: 409,
    Stale: 412,
    TooLarge: 413,
    WrongMediaType: 415,
    HostNotAllowed: 421,
    Malformed: 422,
    NotYet: 503,
    ReadModelRebuilding: 503,
    SecretUnavailable: 503,
    TooManyStreams: 503,
    TooManyTrials: 503,
    Refusal: 409,
}
HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": str(RETRY_AFTER_SECONDS)},
}
UNAVAILABLE: tuple[type[Exception], ...] = (Unavailable, *Outage)
"""Errors that mean that the database cannot be reached, or does not serve: 503."""


def status_of(refusal: Refusal) -> int:
    """Return the HTTP status of `refusal`."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)
