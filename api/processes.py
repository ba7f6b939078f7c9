"""Processes: draft, revise, validate, publish, archive, restore, pause; the list, one in detail, its versions."""

import itertools
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import anyio
import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import JsonBody, view
from api.receipts import CommandReceipt, RehearsedReceipt, carry_out
from commands.process_pauses import PauseProcess, ResumeProcess
from commands.processes import ArchiveProcess, DraftProcess, PublishProcess, RestoreProcess, ReviseProcess
from commands.roles import RoleTakenAway
from commands.template_versions import ReviseFromTemplate
from domain.jsonvalue import parse_json
from domain.language import parse_definition
from domain.language.editing.fixes import TextProblem
from domain.refusal import NotFound, Problem
from domain.templates.importing import named, named_text
from edge.admitted import Caller
from edge.bodies import JSON, YAML, is_json, media_type
from edge.checking import MOST_PROBLEMS
from edge.command_request import CommandedOrRehearsed, CommandedWithParameters, CommandRequest
from edge.dependencies import Reads
from edge.headers import etag, expected_revision
from edge.parameters import (
    LARGEST_VERSION,
    SEVERAL,
    Fresh,
    Named,
    NamedStrictness,
    Paged,
    Parameters,
    Strictness,
    Values,
    one_of,
)
from edge.principal import principal_of
from edge.references import process_named
from edge.refusals import WrongMediaType, malformed, unknown_key
from edge.rehearsals import COMMANDS
from edge.templates import template_caller
from edge.visibility import require_visible_name
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
STATUSES = ("draft", "published", "archived")

router = APIRouter(prefix="/processes", tags=["processes"])


class DraftReceipt(CommandReceipt, kw_only=True):
    """A draft was begun or revised. problems: errors, which stop a publication; warnings and notices, which do not.

    warnings: the latter alone.
    """

    process_id: UUID
    name: str
    problems: list[Problem]
    warnings: list[Problem] = []


class PublicationReceipt(CommandReceipt, kw_only=True):
    """The draft became this version. warnings: warnings and notices about it.

    thresholds_replaced: its `costs` took the place of cost thresholds that a command had set. roles_taken_away: roles
    that a change gave on the version before, and that the text of this one does not state.
    """

    process_id: UUID
    version: int
    warnings: list[Problem] = []
    thresholds_replaced: bool = False
    roles_taken_away: list[RoleTakenAway] = []


class ProcessReceipt(RehearsedReceipt, kw_only=True):
    """A command on a process was carried out."""

    process_id: UUID


class RestorationReceipt(RehearsedReceipt, kw_only=True):
    """The process is in use again. version: its latest. warnings: about agents, processes and secrets that it names."""

    process_id: UUID
    version: int | None
    warnings: list[Problem] = []


class Validation(msgspec.Struct):
    """problems: errors, which stop a publication. warnings: warnings and notices, which do not.

    A problem whose hint proposes a word carries the edit of the text that writes it.
    """

    valid: bool
    problems: list[TextProblem]
    warnings: list[TextProblem]


class DefinitionBody(msgspec.Struct):
    """A definition: its text, or the definition itself in place of this object."""

    definition: str | dict[str, Any] | None = None


class RevisionParameters(Parameters):
    """template_version: the later version of its template that the text has; it becomes that of the process."""

    template_version: Annotated[int, Field(ge=1, le=LARGEST_VERSION)] | None = None


class ProcessFilters(Paged):
    """Filters of the processes."""

    name: Annotated[Values, Field(description=SEVERAL)] = []
    status: Annotated[Values, one_of(STATUSES), Field(description=", ".join(STATUSES))] = []
    owner: Annotated[Values, Field(description=SEVERAL)] = []


@router.post(
    "",
    summary="Draft a process",
    **openapi.command(DraftProcess, DraftReceipt, status=201, body=DefinitionBody, kinds=KINDS),
)
async def draft(request: CommandedWithParameters, given: Annotated[Named, Query()]) -> Response:
    """Draft a process from YAML, from JSON, or from JSON that holds the text as `definition`. It may have errors."""
    source, caller = _source(request), principal_of(request.request)
    if given.name is not None:
        source = await anyio.to_thread.run_sync(named, source, given.name, limiter=COMMANDS)
    if caller.processes:
        require_visible_name(caller, (await anyio.to_thread.run_sync(parse_definition, source)).name)
    command = DraftProcess(source)
    return await carry_out(request, request.handlers.processes.draft, command, DraftReceipt)


@router.post(
    "/validate",
    summary="Validate a definition",
    **openapi.command(DraftProcess, Validation, body=DefinitionBody, kinds=KINDS),
)
async def validate(request: CommandedWithParameters, given: Annotated[NamedStrictness, Query()]) -> Response:
    """List every problem of a definition; record nothing."""
    check = partial(_found, request, _source(request), given)
    found = await anyio.to_thread.run_sync(check, limiter=COMMANDS)
    errors = [problem for problem in found if problem.severity == "error"]
    return view(Validation(not errors, errors, [problem for problem in found if problem.severity != "error"]))


@router.put(
    "/{process}",
    summary="Revise the draft",
    **openapi.command(ReviseProcess, DraftReceipt, 404, body=DefinitionBody, kinds=KINDS),
)
async def revise(
    process: str, request: CommandedWithParameters, given: Annotated[RevisionParameters, Query()]
) -> Response:
    """Replace the draft, or begin one from the published version."""
    id, source, revision = process_named(process), _source(request), expected_revision(request.request)
    if given.template_version is None:
        command = ReviseProcess(id, source, revision)
        return await carry_out(request, request.handlers.processes.revise, command, DraftReceipt)
    caller = template_caller(principal_of(request.request))
    stated = ReviseFromTemplate(id, source, caller, given.template_version, revision)
    return await carry_out(request, request.handlers.template_versions.revise, stated, DraftReceipt)


@router.post(
    "/{process}/publish", summary="Publish the draft", **openapi.command(PublishProcess, PublicationReceipt, 404)
)
async def publish(process: str, request: CommandedWithParameters, given: Annotated[Strictness, Query()]) -> Response:
    """Make the draft the next version; refuse it with every problem if it has errors."""
    command = request.read(PublishProcess, process_id=process, strict=given.strict)
    return await carry_out(request, request.handlers.processes.publish, command, PublicationReceipt)


@router.post(
    "/{process}/archive",
    summary="Archive a process",
    **openapi.command(ArchiveProcess, ProcessReceipt, 404, rehearsed=True),
)
async def archive(process: str, request: CommandedOrRehearsed) -> Response:
    """Archive the process: from now on it starts no execution; executions under way continue."""
    command = request.read(ArchiveProcess, process_id=process)
    return await carry_out(request, request.handlers.processes.archive, command, ProcessReceipt)


@router.post(
    "/{process}/restore",
    summary="Take a process out of the archive",
    **openapi.command(RestoreProcess, RestorationReceipt, 404, rehearsed=True),
)
async def restore(process: str, request: CommandedOrRehearsed) -> Response:
    """Take the process out of the archive: it starts executions again, by its latest version."""
    command = request.read(RestoreProcess, process_id=process)
    return await carry_out(request, request.handlers.processes.restore, command, RestorationReceipt)


@router.post(
    "/{process}/pause",
    summary="Pause a process",
    **openapi.command(PauseProcess, ProcessReceipt, 404, rehearsed=True),
)
async def pause(process: str, request: CommandedOrRehearsed) -> Response:
    """Let nothing start until it is resumed: a start waits in order, or is refused; executions under way continue."""
    command = request.read(PauseProcess, process_id=process)
    return await carry_out(request, request.handlers.process_pauses.pause, command, ProcessReceipt)


@router.post(
    "/{process}/resume",
    summary="Resume a process",
    **openapi.command(ResumeProcess, ProcessReceipt, 404, rehearsed=True),
)
async def resume(process: str, request: CommandedOrRehearsed) -> Response:
    """Let executions start again; those that wait begin in order."""
    command = request.read(ResumeProcess, process_id=process)
    return await carry_out(request, request.handlers.process_pauses.resume, command, ProcessReceipt)


@router.get("", summary="List processes", **openapi.query(Page[ProcessSummary], listed=True))
def list_(reading: Reads, caller: Caller, filters: Annotated[ProcessFilters, Query()]) -> Response:
    """List processes by name."""
    requested = ProcessFilter(
        names=filters.name, statuses=filters.status, owners=filters.owner, within=caller.processes
    )
    return view(list_processes(reading, requested, **filters.page))


@router.get("/{process}", summary="One process", **openapi.query(ProcessDetail, 404))
def get(process: str, reading: Reads, given: Annotated[Fresh, Query()]) -> Response:
    """Return the process with this id or name; the ETag is its version, for a later If-Match."""
    found = get_process(reading, process_named(process), min_position=given.min_position)
    return JsonBody(found, 200, etag(found.revision))


@router.get("/{process}/versions/{version}", summary="A published version", **openapi.query(ProcessVersion, 404))
def get_version(process: str, version: str, reading: Reads, given: Annotated[Fresh, Query()]) -> Response:
    """Return the definition that executions of this version run."""
    if not (version.isascii() and version.isdigit() and len(version) <= 9):
        raise NotFound("there is no such version")
    id = process_named(process)
    return view(get_process_version(reading, id, int(version), min_position=given.min_position))


def _found(request: CommandRequest, source: str | bytes, given: NamedStrictness) -> list[TextProblem]:
    text = named_text(source, given.name)
    others = [TextProblem(**msgspec.structs.asdict(each)) for each in text.problems]
    return [*others, *request.handlers.processes.propose(text.text, strict=given.strict)]


def _source(request: CommandRequest) -> str | bytes:
    """Return the text of the definition in the body. Raises WrongMediaType or Malformed."""
    kind = media_type(request.request)
    if kind in YAML:
        return request.body
    if not is_json(kind):
        raise WrongMediaType("a definition is sent as application/yaml or application/json")
    value = request.json_object() if request.body else parse_json(request.body)
    if "definition" not in value:
        return request.body
    return _wrapped(value)


def _wrapped(value: dict[str, Any]) -> str:
    definition = value["definition"]
    others = itertools.islice((name for name in value if name != "definition"), MOST_PROBLEMS - 1)
    problems = [unknown_key(name, ("definition",)) for name in others]
    if not isinstance(definition, str | dict):
        message = "definition is the text of a definition, or the definition itself"
        problems.append(Problem("invalid_value", message, "definition"))
    if problems:
        raise malformed(problems)
    return definition if isinstance(definition, str) else msgspec.json.encode(definition).decode()
