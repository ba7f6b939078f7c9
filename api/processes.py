"""Processes: draft, revise, validate, publish, archive; the list, one in detail, its versions."""

from typing import Annotated, Any

import anyio
import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import openapi
from api.answers import Json, view
from api.asking import etag, revision_asked
from api.bodies import JSON, YAML, is_json, json_object, media_type, read_body
from api.carrying_out import COMMANDS, carry_out
from api.fields import Fields
from api.parameters import NO_PARAMETERS, Fresh, ProcessesAsked
from api.receipts import DefinitionBody, ProcessArchived, ProcessDrafted, ProcessPublished, ReasonBody, Validated
from api.references import process_named
from api.refusals import WrongMediaType, malformed
from commands.processes import ArchiveProcess, DraftProcess, PublishProcess, ReviseProcess
from domain.jsonvalue import parse_json
from domain.refusal import NotFound, Problem
from queries.paging import Page
from queries.processes import (
    ProcessDetail,
    ProcessFilter,
    ProcessSummary,
    ProcessVersion,
    get_process,
    get_process_version,
    list_processes,
)

KINDS = (JSON, "application/yaml")

router = APIRouter(prefix="/processes", tags=["processes"])


@router.post(
    "",
    dependencies=[NO_PARAMETERS],
    summary="Draft a process",
    **openapi.command(ProcessDrafted, 201, body=DefinitionBody, kinds=KINDS, required=True),
)
async def draft(request: Request) -> Response:
    """A new draft from YAML, from JSON, or from JSON that holds the text as `definition`. Errors may stay in it."""
    body = await read_body(request)
    command = DraftProcess(_source(request, body))
    processes = request.app.state.services.processes
    return await carry_out(
        request, body, lambda cause, identified: processes.draft(command, cause, identified), status=201
    )


@router.post(
    "/validate",
    dependencies=[NO_PARAMETERS],
    summary="Validate a definition",
    **openapi.command(Validated, 200, body=DefinitionBody, kinds=KINDS, required=True),
)
async def validate(request: Request) -> Response:
    """Everything there is to say about a definition; records nothing."""
    source = _source(request, await read_body(request))
    processes = request.app.state.services.processes
    found = await anyio.to_thread.run_sync(processes.validate, source, limiter=COMMANDS)
    errors = [problem for problem in found if problem.severity == "error"]
    return view(Validated(not errors, errors, [problem for problem in found if problem.severity != "error"]))


@router.put(
    "/{process}",
    dependencies=[NO_PARAMETERS],
    summary="Revise the draft",
    **openapi.command(ProcessDrafted, 200, 404, body=DefinitionBody, kinds=KINDS, required=True, conditional=True),
)
async def revise(process: str, request: Request) -> Response:
    """Replace the draft, or begin one from the published version."""
    body = await read_body(request)
    command = ReviseProcess(process_named(process), _source(request, body), revision_asked(request))
    processes = request.app.state.services.processes
    return await carry_out(request, body, lambda cause, identified: processes.revise(command, cause, identified))


@router.post(
    "/{process}/publish",
    dependencies=[NO_PARAMETERS],
    summary="Publish the draft",
    **openapi.command(ProcessPublished, 200, 404, conditional=True),
)
async def publish(process: str, request: Request) -> Response:
    """Make the draft the next version; refused with every problem when it has errors."""
    body = await read_body(request)
    Fields(json_object(request, body)).check()
    command = PublishProcess(process_named(process), revision_asked(request))
    processes = request.app.state.services.processes
    return await carry_out(request, body, lambda cause, identified: processes.publish(command, cause, identified))


@router.post(
    "/{process}/archive",
    dependencies=[NO_PARAMETERS],
    summary="Archive a process",
    **openapi.command(ProcessArchived, 200, 404, body=ReasonBody, conditional=True),
)
async def archive(process: str, request: Request) -> Response:
    """No new executions from now on; those that run go on."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "reason")
    reason = fields.text("reason")
    fields.check()
    command = ArchiveProcess(process_named(process), reason or "", revision_asked(request))
    processes = request.app.state.services.processes
    return await carry_out(request, body, lambda cause, identified: processes.archive(command, cause, identified))


@router.get("", summary="List processes", **openapi.query(Page[ProcessSummary]))
def list_(request: Request, asked: Annotated[ProcessesAsked, Query()]) -> Response:
    """By name."""
    wanted = ProcessFilter(names=asked.name, statuses=asked.status, owners=asked.owner)
    return view(list_processes(request.app.state.services.reading, wanted, **asked.page))


@router.get("/{process}", summary="One process", **openapi.query(ProcessDetail, 404))
def get(process: str, request: Request, asked: Annotated[Fresh, Query()]) -> Response:
    """By its id or name; the ETag is its version, to be sent back as If-Match."""
    id = process_named(process)
    found = get_process(request.app.state.services.reading, id, min_position=asked.min_position)
    return Json(found, 200, etag(found.revision))


@router.get("/{process}/versions/{version}", summary="A published version", **openapi.query(ProcessVersion, 404))
def get_version(process: str, version: str, request: Request, asked: Annotated[Fresh, Query()]) -> Response:
    """The definition that executions of this version run."""
    if not (version.isascii() and version.isdigit() and len(version) <= 9):
        raise NotFound("there is no such version")
    id, reading = process_named(process), request.app.state.services.reading
    return view(get_process_version(reading, id, int(version), min_position=asked.min_position))


def _source(request: Request, body: bytes) -> str | bytes:
    """The text of the definition in a body. Raises WrongMediaType or Malformed."""
    kind = media_type(request)
    if kind in YAML:
        return body
    if not is_json(kind):
        raise WrongMediaType("a definition is sent as application/yaml or application/json")
    value = parse_json(body)
    if not isinstance(value, dict):
        raise malformed([Problem("wrong_type", "the body is a JSON object")])
    if "definition" not in value:
        return body
    return _wrapped(value)


def _wrapped(value: dict[str, Any]) -> str:
    fields = Fields(value, "definition")
    definition = value["definition"]
    if not isinstance(definition, str | dict):
        fields.wrong("definition", "definition is the text of a definition, or the definition itself")
    fields.check()
    return definition if isinstance(definition, str) else msgspec.json.encode(definition).decode()
