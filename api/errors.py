"""Refusals become problem documents (RFC 9457): here, and nowhere else."""

import difflib
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.answers import ProblemJson
from api.refusals import (
    BadRequest,
    Interrupted,
    SecretUnavailable,
    TokenInvalid,
    TooLarge,
    Unauthorised,
    WrongMediaType,
)
from commands.deciding import Unavailable
from domain.executions.decisions.refusals import ApproverNotNamed
from domain.refusal import Forbidden, Malformed, NotFound, Problem, Refusal, Stale
from queries.paging import BadCursor
from queries.reading import RETRY_AFTER_SECONDS, NotYet, ReadModelRebuilding
from store.unit import Outage

logger = logging.getLogger(__name__)

STATUS: dict[type[Refusal], int] = {
    BadRequest: 400,
    BadCursor: 400,
    Interrupted: 400,
    Unauthorised: 401,
    TokenInvalid: 403,
    ApproverNotNamed: 403,
    NotFound: 404,
    Forbidden: 409,
    Stale: 412,
    TooLarge: 413,
    WrongMediaType: 415,
    Malformed: 422,
    NotYet: 503,
    ReadModelRebuilding: 503,
    SecretUnavailable: 503,
    Refusal: 409,
}
HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": str(RETRY_AFTER_SECONDS)},
}
RETRY = "the database cannot be reached at the moment; nothing is known to be wrong with the request"


class ProblemDocument(msgspec.Struct, frozen=True):
    """Why a request was refused. code: stable; problems: everything that is wrong with what was sent."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    problems: list[Problem] = []


def problem(
    status: int,
    code: str,
    detail: str,
    problems: Iterable[Problem] = (),
    *,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProblemJson:
    """The answer that says why not. details: further members, which never replace those of a problem document."""
    document = ProblemDocument("about:blank", HTTPStatus(status).phrase, status, detail, code, list(problems))
    content = {**(details or {}), **msgspec.structs.asdict(document)}
    return ProblemJson(content, status, {**HEADERS.get(status, {}), **(headers or {})})


def install(app: FastAPI) -> None:
    """Teach `app` to answer every error with a problem document."""
    handlers: dict[type[Exception], Any] = {
        Refusal: _refused,
        Unavailable: _unavailable,
        HTTPException: _http,
        RequestValidationError: _invalid,
        Exception: _unexpected,
        **dict.fromkeys(Outage, _unavailable),
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def status_of(refusal: Refusal) -> int:
    """The HTTP status that says what `refusal` says."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


async def _refused(_request: Request, refusal: Refusal) -> ProblemJson:
    problems = getattr(refusal, "problems", ())
    return problem(status_of(refusal), refusal.code, refusal.message, problems, details=refusal.details)


async def _unavailable(_request: Request, error: Exception) -> ProblemJson:
    logger.warning("unavailable: %s", error)
    return problem(503, "unavailable", RETRY)


async def _http(_request: Request, error: HTTPException) -> ProblemJson:
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    return problem(error.status_code, code, str(error.detail or phrase), headers=error.headers)


async def _unexpected(request: Request, _error: Exception) -> ProblemJson:
    """The server logs the error with its traceback; the caller learns only by which id to ask about it."""
    id = request.scope.get("request_id", "")
    headers = {"X-Request-Id": id} if id else {}
    return problem(500, "internal_error", f"something went wrong here; the log has more under {id}", headers=headers)


async def _invalid(request: Request, error: RequestValidationError) -> ProblemJson:
    """A path that names nothing is 404; a query that cannot be understood is 400, with every problem."""
    errors = error.errors()
    if any(found["loc"][0] == "path" for found in errors):
        return problem(404, "not_found", "there is nothing of that name here")
    known = [name for name in request.scope["route"].dependant.query_params for name in _names(name)]
    problems = [_query_problem(found, known) for found in errors]
    unknown = [each for each in problems if each.code == "unknown_filter"]
    first = (unknown or problems)[0]
    return problem(400, first.code, first.message, problems)


def _names(field: Any) -> list[str]:
    model = field.field_info.annotation
    fields = getattr(model, "model_fields", None)
    return [field.alias] if fields is None else [info.alias or name for name, info in fields.items()]


def _query_problem(found: Mapping[str, Any], known: list[str]) -> Problem:
    name = str(found["loc"][1])[:60] if len(found["loc"]) > 1 else ""
    if found["type"] == "extra_forbidden":
        return unknown_filter(name, known)
    message = str(found.get("ctx", {}).get("error", found["msg"]))
    return Problem("invalid_filter", f"{name}: {message}", name)


def unknown_filter(name: str, known: Iterable[str]) -> Problem:
    """There is no query parameter `name`; the hint names the nearest one, or all."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(names) or 'none'}"
    return Problem("unknown_filter", f"there is no query parameter {name!r} here", name, hint=hint)
