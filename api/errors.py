"""Problem documents (RFC 9457): this module alone turns refusals and errors into them."""

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
from commands.deciding import Contended, DecisionBroke
from domain.refusal import Problem, Refusal
from edge.refusals import unknown_filter
from edge.statuses import HEADERS, UNAVAILABLE, status_of

logger = logging.getLogger(__name__)

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
        Exception: _unexpected,
        **dict.fromkeys(UNAVAILABLE, _unavailable),
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _refused(_request: Request, refusal: Refusal) -> ProblemJson:
    problems = getattr(refusal, "problems", ())
    return problem(status_of(refusal), refusal.code, refusal.message, problems, details=refusal.details)


async def _unavailable(_request: Request, error: Exception) -> ProblemJson:
    logger.warning("unavailable: %s", error)
    return problem(503, "unavailable", RETRY)


async def _broke(_request: Request, error: DecisionBroke) -> ProblemJson:
    """Name the execution, process or agent whose decision broke; the log has the traceback."""
    logger.error("%s", error, exc_info=error)
    detail = f"the decision about {error.stream} broke, and nothing was recorded; the log of the server has the reason"
    return problem(500, "decision_broke", detail, details={"stream": str(error.stream)})


async def _contended(_request: Request, error: Contended) -> ProblemJson:
    """Name the execution, process or agent about which each decision met a conflict."""
    logger.error("%s", error)
    return problem(503, "unavailable", str(error), details={"stream": str(error.stream)})


async def _http(_request: Request, error: HTTPException) -> ProblemJson:
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    return problem(error.status_code, code, str(error.detail or phrase), headers=error.headers)


async def _unexpected(request: Request, _error: Exception) -> ProblemJson:
    """Answer with the id of the request only; the server logs the error with its traceback."""
    id = request.scope.get("request_id", "")
    headers = {"X-Request-Id": id} if id else {}
    return problem(500, "internal_error", f"something went wrong here; the log has more under {id}", headers=headers)


async def _invalid(request: Request, error: RequestValidationError) -> ProblemJson:
    """Answer 404 to a path that names nothing, and 400 with every problem to a query that is not valid."""
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
