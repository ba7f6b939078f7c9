"""Refusals and errors as pages: what went wrong, and the way back."""

import logging
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from commands.deciding import OutcomeOverdue
from domain.refusal import Refusal
from edge.refusals import Unauthorised
from edge.statuses import HEADERS, UNAVAILABLE, status_of
from queries.epochs import LogWentBack
from queries.reading import ReadModelRebuilding
from web.layout import page
from web.rebuilding import rebuilding

logger = logging.getLogger(__name__)

# Parameters of pages that hold positions.
POSITIONS = ("min_position", "epoch", "cursor", "as_of")
TITLES = {
    400: "This address is not right",
    401: "Sign in first",
    403: "You may not do this",
    404: "Nothing is here",
    405: "This address takes no such request",
    410: "This is in the archive",
    409: "This cannot be done now",
    412: "Somebody was faster",
    413: "This is too large",
    415: "This form cannot be read",
    422: "Something is missing",
    503: "Not available at the moment",
}


def install(app: FastAPI) -> None:
    """Answer every refusal and error of `app` with a page."""
    app.add_exception_handler(Refusal, _refused)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _broken)
    for kind in UNAVAILABLE:
        app.add_exception_handler(kind, _unavailable)


def problem(request: Request, code: int, word: str, message: str, problems: object = ()) -> Response:
    """Return the page of a problem. word: its stable code."""
    answer = page(
        request,
        "problem.html",
        title=TITLES.get(code, "Something went wrong"),
        code=code,
        message=message,
        problems=problems,
        problem_code=word,
        request_id=request.scope.get("request_id", ""),
        back=_back(request),
    )
    answer.headers.update(HEADERS.get(code, {}))
    return answer


def refused(refusal: Refusal) -> ASGIApp:
    """Return the answer to a request that is refused at the door."""
    return PlainTextResponse(f"{refusal.message}\n", status_of(refusal))


def _refused(request: Request, refusal: Refusal) -> Response:
    if isinstance(refusal, Unauthorised):
        to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?{urlencode({'next': to if request.method == 'GET' else '/'})}", 303)
    if isinstance(refusal, LogWentBack) and request.method == "GET":
        # The page stands without the position that the log has lost: show the log as it is now.
        left = [(name, value) for name, value in request.query_params.multi_items() if name not in POSITIONS]
        return RedirectResponse(request.url.path + (f"?{urlencode(left)}" if left else ""), 303)
    if isinstance(refusal, ReadModelRebuilding) and request.method == "GET":
        return rebuilding(request, refusal)
    return problem(request, status_of(refusal), refusal.code, refusal.message, getattr(refusal, "problems", ()))


def _http(request: Request, error: HTTPException) -> Response:
    message = "There is no such page, or you may not see it." if error.status_code == 404 else str(error.detail)
    return problem(request, error.status_code, "not_found" if error.status_code == 404 else "refused", message)


def _invalid(request: Request, error: RequestValidationError) -> Response:
    names = ", ".join(sorted({str(found["loc"][-1]) for found in error.errors()}))
    return problem(request, 400, "invalid_filter", f"The address has a value that cannot be read: {names[:200]}.")


def _unavailable(request: Request, error: Exception) -> Response:
    logger.warning("a page could not be made: %s", error)
    if isinstance(error, OutcomeOverdue):
        return problem(request, 503, error.code, f"{error}")
    return problem(request, 503, "unavailable", "The database cannot be reached at the moment. Try again soon.")


def _broken(request: Request, error: Exception) -> Response:
    """Answer an unforeseen error; the server logs it with its trace."""
    return problem(request, 500, "internal_error", "Something went wrong here; the log has more.")


def _back(request: Request) -> str:
    """Return the page before an act, which is the address above it; else the overview."""
    path = request.url.path
    if request.method == "POST" and path.startswith("/executions/"):
        return "/".join(path.split("/")[:3])
    if request.method == "POST" and path.startswith(("/approvals/", "/processes/", "/agents/")):
        return "/".join(path.split("/")[:3])
    if request.method == "POST" and path.startswith("/operations/"):
        return path.rpartition("/")[0]
    return "/"
