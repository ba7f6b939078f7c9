"""The description of the API: schemas of views, receipts, bodies and problem documents, by msgspec from their types."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.answers import JsonBody
from api.errors import ProblemDocument
from commands.command import REVISION, Command
from edge.declared import Declared, body_fields, fields_beside
from edge.scopes import LISTED, READ, STATED, requires

TITLE = "Procession"
REFERENCE = "#/components/schemas/{name}"
TAGS = [
    {"name": "processes", "description": "Definitions: drafted, published in versions, archived."},
    {"name": "templates", "description": "Definitions with parameters, to begin a process from."},
    {"name": "executions", "description": "Runs of published processes."},
    {"name": "schedules", "description": "Triggers that start executions by the clock, and the calendars they use."},
    {"name": "agents", "description": "Who does the work."},
    {"name": "costs", "description": "What calls cost, and the prices that apply to them."},
    {"name": "keys", "description": "Who may do what."},
    {"name": "operations", "description": "Events, read models, health."},
]
COMPONENTS: dict[str, Any] = {}
JSON_ONLY = ("application/json",)

_QUERY_PROBLEMS = (400, 401, 403, 409, 421, 503)
_COMMAND_PROBLEMS = (400, 401, 403, 409, 413, 415, 421, 422, 503)
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key gives the first answer and records nothing.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_ACTOR = {
    "name": "X-Actor",
    "in": "header",
    "description": "Who acts. Default: anonymous.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._@-]{1,64}$"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The version (ETag) that the command was decided on; a stale one is refused.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
}


def schema_of(kind: Any) -> dict[str, Any]:
    """Return a reference to the schema of a type, which the description will hold."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    COMPONENTS.update(components)
    return schema


def query(
    view: Any, *problems: int, permission: str | None = READ, listed: bool = False, body: Any = None
) -> dict[str, Any]:
    """Describe a route that answers 200 with `view`. problems: statuses beside those that every query may have.

    permission: required of the caller; None: the route is open to all. listed: the route limits its answer to the
    processes that the caller sees. body: a class that declares the fields of a body, for a query that has one.
    """
    responses = _responses(200, view, (*_QUERY_PROBLEMS, *problems))
    stated = {} if permission is None else requires(permission, listed=listed)
    if body is not None:
        described = {"requestBody": _request_body(body, JSON_ONLY, required=True)}
        stated = {**stated, "openapi_extra": {**stated.get("openapi_extra", {}), **described}}
    return {"responses": responses, "response_class": JsonBody, **stated}


def command(
    kind: type[Command],
    receipt: Any,
    *problems: int,
    status: int = 200,
    body: Any = None,
    kinds: Iterable[str] = JSON_ONLY,
    required: bool = True,
    guarded: bool = True,
    rehearsed: bool = False,
    planned: Any = None,
    listed: bool = False,
) -> dict[str, Any]:
    """Describe a route that carries out a command of `kind` and answers `status` with `receipt`.

    problems: statuses beside those that every command may have. body: default: what `kind` declares; another class
    that declares fields, or a type of which the route reads the body by itself, of the media types `kinds`.
    required: whether that other body is. guarded: whether the permission of `kind` is required of the caller.
    rehearsed: the route takes `dry_run`, which is answered with 200. planned: the answer of a dry run, 200, if it is
    another than `receipt`. listed: the route by itself admits a principal that is limited to processes.
    """
    conditional = REVISION in fields_beside(kind).values()
    extra: dict[str, Any] = {STATED: kind.scope.value} if guarded else {}
    if listed:
        extra[LISTED] = True
    extra["parameters"] = [_IDEMPOTENCY, _ACTOR, *([_IF_MATCH] if conditional else [])]
    if body is not None:
        extra["requestBody"] = _request_body(body, kinds, required=required)
    elif declared := body_fields(kind):
        extra["requestBody"] = _request_body(kind, JSON_ONLY, required=any(field.required for field in declared))
    stale = (412,) if conditional else ()
    responses = _responses(status, receipt, (*_COMMAND_PROBLEMS, *problems, *stale))
    if rehearsed:
        responses = _responses(200, receipt, ()) | responses
    if planned is not None:
        responses = _responses(200, planned, ()) | responses
    return {
        "status_code": status,
        "responses": responses,
        "response_class": JsonBody,
        "openapi_extra": extra,
    }


def _request_body(body: Any, kinds: Iterable[str], *, required: bool) -> dict[str, Any]:
    """Describe a body: of type `body` in JSON, text in the other media types of `kinds`."""
    described = _described(body) if isinstance(body, type) and issubclass(body, msgspec.Struct) else body
    schemas = {kind: schema_of(described) if kind.endswith("json") else {"type": "string"} for kind in kinds}
    return {"required": required, "content": {kind: {"schema": schema} for kind, schema in schemas.items()}}


def _described(declaring: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return a class with the fields of the body alone, as a caller may send them: null stands for left out.

    A class that takes other fields too is described as it is.
    """
    if not _checked(declaring):
        return declaring
    return msgspec.defstruct(
        declaring.__name__,
        [_as_sent(field) for field in body_fields(declaring)],
        namespace={"__doc__": declaring.__doc__},
        module=declaring.__module__,
        forbid_unknown_fields=True,
        kw_only=True,
    )


def _checked(declaring: type[msgspec.Struct]) -> bool:
    """Return whether doors check every field of such a body: of commands, and of classes that forbid other fields."""
    return issubclass(declaring, Command) or declaring.__struct_config__.forbid_unknown_fields


def _as_sent(field: Declared) -> tuple[str, Any] | tuple[str, Any, Any]:
    hint = field.hint if field.read is None else field.read.described
    if field.required:
        return field.name, hint
    return field.name, hint if field.kind is bool else hint | None, None


def describe(app: FastAPI, version: str) -> dict[str, Any]:
    """Return the whole description of `app`; only the first call builds it."""
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
