"""The description of the API: schemas of views, receipts, bodies and problem documents, by msgspec from their types."""

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.answers import Json
from api.errors import ProblemDocument

TITLE = "Procession"
REFERENCE = "#/components/schemas/{name}"
TAGS = [
    {"name": "processes", "description": "What is to be done: drafted, published in versions, archived."},
    {"name": "executions", "description": "Runs of published processes."},
    {"name": "agents", "description": "Who does the work."},
    {"name": "operations", "description": "Events, read models, health."},
]
COMPONENTS: dict[str, Any] = {}

_QUERY_PROBLEMS = (400, 401, 503)
_COMMAND_PROBLEMS = (400, 401, 409, 413, 415, 422, 503)
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key gives the first answer and records nothing.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_ACTOR = {
    "name": "X-Actor",
    "in": "header",
    "description": "Who acts; anonymous when left out.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._@-]{1,64}$"},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The version (ETag) that the command was decided on; a stale one is refused.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
}


def schema_of(kind: Any) -> dict[str, Any]:
    """A reference to the schema of a type, which the description will hold."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    COMPONENTS.update(components)
    return schema


def query(view: Any, *problems: int) -> dict[str, Any]:
    """How a route that answers 200 with `view` is described. problems: statuses beside those every query may have."""
    return {"responses": _responses(200, view, (*_QUERY_PROBLEMS, *problems)), "response_class": Json}


def command(
    receipt: Any,
    status: int,
    *problems: int,
    body: Any = None,
    kinds: tuple[str, ...] = ("application/json",),
    required: bool = False,
    conditional: bool = False,
) -> dict[str, Any]:
    """How a route that carries out a command is described.

    body: type of its body, of the media types `kinds`. problems: statuses beside those every command may have.
    conditional: whether it takes If-Match.
    """
    extra: dict[str, Any] = {"parameters": [_IDEMPOTENCY, _ACTOR, *([IF_MATCH] if conditional else [])]}
    if body is not None:
        extra["requestBody"] = request_body(body, kinds, required=required)
    stale = (412,) if conditional else ()
    return {
        "status_code": status,
        "responses": _responses(status, receipt, (*_COMMAND_PROBLEMS, *problems, *stale)),
        "response_class": Json,
        "openapi_extra": extra,
    }


def request_body(body: Any, kinds: tuple[str, ...], *, required: bool) -> dict[str, Any]:
    """A body of type `body` where it is JSON, and text of another of `kinds`."""
    schemas = {kind: schema_of(body) if kind.endswith("json") else {"type": "string"} for kind in kinds}
    return {"required": required, "content": {kind: {"schema": schema} for kind, schema in schemas.items()}}


def describe(app: FastAPI, version: str) -> dict[str, Any]:
    """The whole description of `app`, worked out once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=TITLE, version=version, routes=app.routes, tags=TAGS, summary=app.summary, openapi_version="3.1.0"
        )
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(COMPONENTS)
        components["securitySchemes"] = {"api_key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{}, {"api_key": []}]
        app.openapi_schema = document
    return app.openapi_schema


def _responses(status: int, view: Any, problems: tuple[int, ...]) -> dict[int | str, dict[str, Any]]:
    found: dict[int | str, dict[str, Any]] = {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema_of(view)}},
        }
    }
    content = {"application/problem+json": {"schema": schema_of(ProblemDocument)}}
    for each in sorted(set(problems)):
        found[each] = {"description": HTTPStatus(each).phrase, "content": content}
    return found
