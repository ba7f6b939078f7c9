"""Refusals and outages as errors of the Model Context Protocol: this module alone turns one into the other."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.shared.exceptions import MCPError
from starlette.responses import JSONResponse

from api.errors import RETRY
from api.mcp.protocol import INTERNAL_ERROR, INVALID_PARAMS, code_of, declares_events
from commands.deciding import OutcomeOverdue
from domain.refusal import Refusal
from edge.statuses import HEADERS, UNAVAILABLE, status_of
from store.trouble import trouble_of

logger = logging.getLogger(__name__)

_KINDS = {401: "forbidden", 403: "forbidden", 404: "not_found", 421: "forbidden"}
_INVALID = frozenset((400, 412, 413, 415, 422))

FAILURES: tuple[type[Exception], ...] = (Refusal, *UNAVAILABLE)
"""Failures that have an answer of their own; others are defects, and `mcp` answers them with an internal error."""


def error_of(failure: Exception, params: Mapping[str, Any] | None) -> MCPError:
    """Return the error of a request with these parameters. failure: one of FAILURES."""
    if not isinstance(failure, Refusal):
        code, message = described(failure)
        return MCPError(INTERNAL_ERROR, message, {"code": code})
    status = status_of(failure)
    if failure.code in ("too_many_streams", "unsupported"):
        kind = "unsupported" if failure.code == "unsupported" else "resource_exhausted"
        return MCPError(code_of(kind, declared=declares_events(params)), failure.message, _data(failure))
    if status in _INVALID:
        return MCPError(INVALID_PARAMS, failure.message, _data(failure))
    if status in _KINDS:
        return MCPError(code_of(_KINDS[status], declared=declares_events(params)), failure.message, _data(failure))
    return MCPError(INTERNAL_ERROR, failure.message, _data(failure))


def described(failure: Exception) -> tuple[str, str]:
    """Return the code and the message of a failure of FAILURES."""
    if isinstance(failure, Refusal):
        return failure.code, failure.message
    logger.warning("unavailable: %s", failure)
    if isinstance(failure, OutcomeOverdue):
        return failure.code, str(failure)
    trouble = trouble_of(failure)
    return ("unavailable", RETRY) if trouble is None else (trouble.code, trouble.detail)


def refused_at_the_door(failure: Exception) -> JSONResponse:
    """Return the answer to a request that does not reach the protocol: an error without an id, and its HTTP status."""
    status = status_of(failure) if isinstance(failure, Refusal) else 503
    code, message = described(failure)
    error = {"code": INTERNAL_ERROR if status >= 500 else -32600, "message": message, "data": {"code": code}}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, status, HEADERS.get(status))


def _data(refusal: Refusal) -> dict[str, Any]:
    problems = getattr(refusal, "problems", ())
    data: dict[str, Any] = {**refusal.details, "code": refusal.code}
    if problems:
        data["problems"] = problems
    found: dict[str, Any] = msgspec.to_builtins(data, str_keys=True)
    return found
