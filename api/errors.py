"""Problem documents (RFC 9457): this module alone turns refusals and errors into them."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import anyio
import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from api.answers import ProblemJson
from commands.deciding import Contended, DecisionBroke, OutcomeOverdue
from domain.jsonvalue import MOST_PROBLEMS
from domain.refusal import Problem, Refusal
from domain.words import labelled
from edge.dependencies import door_of
from edge.protection import PROTECTION
from edge.references import is_id
from edge.refusals import unknown_filter
from edge.statuses import HEADERS, UNAVAILABLE, status_of
from queries.names import nearest_hint
from store.trouble import trouble_of

logger = logging.getLogger(__name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RETRY = "the database cannot be reached at the moment; nothing is known to be wrong with the request"


class ProblemDocument(msgspec.Struct, frozen=True):
    """The reason of a refusal. code: stable; problems: every problem of the request."""

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
    """Return the answer to a refused request. details: further members; they never replace those of the document."""
    document = ProblemDocument("about:blank", HTTPStatus(status).phrase, status, detail, code, list(problems))
    content = {**(details or {}), **msgspec.structs.asdict(document)}
    return ProblemJson(content, status, {**HEADERS.get(status, {}), **(headers or {})})


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document."""
    handlers: dict[type[Exception], Any] = {
        Refusal: _refused,
        HTTPException: _http,
        RequestValidationError: _invalid,
        DecisionBroke: _broke,
        Contended: _contended,
        OutcomeOverdue: _overdue,
        Exception: _unexpected,
        **dict.fromkeys(UNAVAILABLE, _unavailable),
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def refused(refusal: Refusal) -> ProblemJson:
    """Return the answer to a request that `refusal` refuses."""
    problems = getattr(refusal, "problems", ())
    return problem(status_of(refusal), refusal.code, refusal.message, problems, details=refusal.details)


async def _refused(request: Request, refusal: Refusal) -> ProblemJson:
    problems, noun = getattr(refusal, "problems", ()), getattr(refusal, "noun", None)
    detail = refusal.message
    if noun is not None and refusal.code != "retired_agent":
        name = str(refusal.details.get(noun) or request.path_params.get(noun) or "")
        if name and not is_id(name):
            detail = await anyio.to_thread.run_sync(_named, request, noun, name)
    return problem(status_of(refusal), refusal.code, detail, problems, details=refusal.details)


def _named(request: Request, noun: str, name: str) -> str:
    """Return the detail that there is no `noun` of that name, with the nearest name."""
    try:
        with door_of(request).reading.datastore.reading() as connection:
            hint = nearest_hint(connection, noun, name[:200])
    except UNAVAILABLE as error:
        logger.warning("no hint: %s", error)
        hint = ""
    return f"there is no {noun} {name[:80]!r}" + (f"; {hint}" if hint else "")


async def _unavailable(_request: Request, error: Exception) -> ProblemJson:
    logger.warning("unavailable: %s", error)
    trouble = trouble_of(error)
    return problem(503, "unavailable", RETRY) if trouble is None else problem(503, trouble.code, trouble.detail)


async def _broke(_request: Request, error: DecisionBroke) -> ProblemJson:
    """Name the execution, process or agent whose decision broke; the log has the traceback."""
    logger.error("%s", error, exc_info=error)
    detail = f"the decision about {error.stream} broke, and nothing was recorded; the log of the server has the reason"
    return problem(500, "decision_broke", detail, details={"stream": str(error.stream)})


async def _overdue(_request: Request, error: OutcomeOverdue) -> ProblemJson:
    """State that the command may have been recorded, and what the caller does."""
    logger.error("%s", error)
    return problem(503, error.code, str(error))


async def _contended(_request: Request, error: Contended) -> ProblemJson:
    """Name the execution, process or agent about which each decision met a conflict."""
    logger.error("%s", error)
    return problem(503, "unavailable", str(error), details={"stream": str(error.stream)})


async def _http(request: Request, error: HTTPException) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(_methods(request))}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    return problem(error.status_code, code, str(error.detail or phrase), headers=headers)


def _methods(request: Request) -> list[str]:
    """Return the methods of every route at the path of `request`; several routes may share it."""
    found = [method for method in METHODS if _routed(request, method)]
    return [*found, *(["HEAD"] if "GET" in found else []), "OPTIONS"]


def _routed(request: Request, method: str) -> bool:
    scope = {name: request.scope[name] for name in ("type", "path", "root_path", "headers")} | {"method": method}
    return any(route.matches(dict(scope))[0] is Match.FULL for route in request.app.routes)


async def _unexpected(request: Request, _error: Exception) -> ProblemJson:
    """Answer with the id of the request only; the server logs the error with its traceback."""
    id = request.scope.get("request_id", "")
    headers = {"X-Request-Id": id} if id else {}
    # This answer does not pass the envelope.
    headers |= {name.decode(): value.decode() for name, value in PROTECTION}
    return problem(500, "internal_error", f"something went wrong here; the log has more under {id}", headers=headers)


async def _invalid(request: Request, error: RequestValidationError) -> ProblemJson:
    """Answer 404 to a path that names nothing, and 400 with the first MOST_PROBLEMS to a query that is not valid."""
    errors = error.errors()
    if any(found["loc"][0] == "path" for found in errors):
        return problem(404, "not_found", "there is nothing of that name here")
    known = [name for name in request.scope["route"].dependant.query_params for name in _names(name)]
    problems = [_query_problem(found, known) for found in errors[:MOST_PROBLEMS]]
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
    return Problem("invalid_filter", labelled(name, message), name)
