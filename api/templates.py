"""Templates: the library, one, previews, uses; save, share, withdraw."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import anyio
import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import RehearsedReceipt, carry_out
from commands.command import VersionNumber
from commands.template_uses import UseTemplate
from commands.template_versions import TakeTemplateVersion
from commands.templates import SaveTemplate, ShareTemplate, WithdrawTemplate
from domain.identity import PROCESS_NAME
from domain.refusal import Problem
from domain.templates.references import SOURCES
from domain.templates.removal import RemovedSecret
from edge.admitted import Caller
from edge.command_request import Commanded, CommandedOrRehearsed
from edge.dependencies import Reads, TheDoor
from edge.parameters import LARGEST_VERSION, SEVERAL, Fresh, Paged, Values, one_of
from edge.principal import principal_of
from edge.references import process_named, template_named
from edge.rehearsals import COMMANDS
from edge.templates import TemplateToPreview, preview_template, surroundings_of, template_caller
from edge.visibility import require_visible_name
from queries.paging import Page
from queries.templates.detail import get_template
from queries.templates.library import TemplateFilter, list_templates
from queries.templates.updates import get_update
from queries.templates.uses import list_uses
from queries.templates.views import TemplateDetail, TemplatePage, TemplatePreview, TemplateUpdate, TemplateUse

router = APIRouter(prefix="/templates", tags=["templates"])
of_processes = APIRouter(prefix="/processes", tags=["templates"])


class SavedTemplateReceipt(RehearsedReceipt, kw_only=True):
    """The process was saved as this version of a template. removed_secrets: what took the place of secrets, and where.

    warnings: about the document.
    """

    template_id: str
    version: int
    removed_secrets: list[RemovedSecret] = []
    warnings: list[Problem] = []


class SharedTemplateReceipt(RehearsedReceipt, kw_only=True):
    """The template is shared. duplicate: it was so before."""

    template_id: str
    shared_with: str


class WithdrawnTemplateReceipt(RehearsedReceipt, kw_only=True):
    """The template is withdrawn. duplicate: it was before."""

    template_id: str


class MadeDraftReceipt(RehearsedReceipt, kw_only=True):
    """A draft was made. problems: its errors and warnings, as of every draft; warnings: the latter alone."""

    process_id: UUID
    name: str
    template_id: str
    template_version: int
    problems: list[Problem]
    warnings: list[Problem] = []


class TakenVersionReceipt(RehearsedReceipt, kw_only=True):
    """The draft has the changes of this version of its template. duplicate: it had them. problems, warnings: of it."""

    process_id: UUID
    name: str
    template_id: str
    template_version: int
    problems: list[Problem]
    warnings: list[Problem] = []


# `with` is a word of Python, so the class cannot be written with it.
ShareRequest = msgspec.defstruct(
    "ShareRequest",
    [("with", Annotated[str, msgspec.Meta(max_length=80, description="private, team:NAME or organisation.")])],
    namespace={"__doc__": "Who sees the template, and may use it, beside those who keep it."},
    module=__name__,
    frozen=True,
    forbid_unknown_fields=True,
)


class PreviewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answers to try out. version: default: the latest. name: of the process. Default: that of the template."""

    parameters: dict[str, Any] = {}
    version: VersionNumber | None = None
    name: Annotated[str, msgspec.Meta(pattern=PROCESS_NAME, max_length=64)] | None = None
    replace_agents: dict[str, Any] = {}


class TemplateFilters(Paged):
    """Filters of the templates."""

    q: Annotated[str, Field(max_length=200, description="Words, each of which the template has.")] = ""
    tag: Annotated[Values, Field(description=SEVERAL)] = []
    source: Annotated[Values, one_of(SOURCES), Field(description=", ".join(SOURCES))] = []
    category: Annotated[Values, Field(description=SEVERAL)] = []
    withdrawn: Annotated[bool, Field(description="Lists withdrawn templates too.")] = False


class OfVersion(Fresh):
    """One version. Default: the latest."""

    version: Annotated[int, Field(ge=1, le=LARGEST_VERSION)] | None = None


class UsesFilters(Paged):
    """Filters of the processes made from a template. version: of the template."""

    version: Annotated[int, Field(ge=1, le=LARGEST_VERSION)] | None = None


@router.get("", summary="List templates", **openapi.query(TemplatePage, listed=True))
def list_(reading: Reads, door: TheDoor, caller: Caller, filters: Annotated[TemplateFilters, Query()]) -> Response:
    """List the templates that the caller sees, the bundled ones first, with facets of all that the search finds."""
    filter = TemplateFilter(filters.q, filters.tag, filters.source, filters.category, filters.withdrawn)
    return view(list_templates(reading, surroundings_of(door), template_caller(caller), filter, **filters.page))


@router.get("/{template_id}", summary="One template", **openapi.query(TemplateDetail, 404, listed=True))
def get(
    template_id: str, reading: Reads, door: TheDoor, caller: Caller, given: Annotated[OfVersion, Query()]
) -> Response:
    """Return a version of a template, with its parameters and the definition that its first sample makes."""
    reference, surroundings = template_named(template_id), surroundings_of(door)
    acting = template_caller(caller)
    return view(get_template(reading, surroundings, acting, reference, given.version, min_position=given.min_position))


@router.get(
    "/{template_id}/uses", summary="What came from a template", **openapi.query(Page[TemplateUse], 404, listed=True)
)
def uses(
    template_id: str, reading: Reads, door: TheDoor, caller: Caller, filters: Annotated[UsesFilters, Query()]
) -> Response:
    """List the processes that were made from a template, the newest first."""
    reference, acting = template_named(template_id), template_caller(caller)
    return view(list_uses(reading, surroundings_of(door), acting, reference, filters.version, **filters.page))


@router.post(
    "/{template_id}/preview",
    summary="Preview a template",
    **openapi.query(TemplatePreview, 404, 409, 413, 415, 422, body=PreviewBody, listed=True),
)
async def preview(template_id: str, door: TheDoor, caller: Caller, request: Commanded) -> Response:
    """Return the process that the template would make with these answers; record nothing."""
    reference, body = template_named(template_id), request.read(PreviewBody)
    tried = TemplateToPreview(body.parameters, body.version, body.name, body.replace_agents)
    work_out = partial(preview_template, door, caller, reference, tried)
    return view(await anyio.to_thread.run_sync(work_out, limiter=COMMANDS))


@router.post(
    "/{template_id}/use",
    summary="Make a draft from a template",
    **openapi.command(UseTemplate, MadeDraftReceipt, 404, status=201, rehearsed=True, listed=True),
)
async def use(template_id: str, request: CommandedOrRehearsed) -> Response:
    """Make a draft from the template; it is never published, and its schedules do not run."""
    caller = principal_of(request.request)
    command = request.read(UseTemplate, template=template_id, caller=template_caller(caller))
    require_visible_name(caller, command.name)
    return await carry_out(request, request.handlers.template_uses.use, command, MadeDraftReceipt)


@router.post(
    "/{template_id}/share",
    summary="Share a template",
    **openapi.command(ShareTemplate, SharedTemplateReceipt, 404, body=ShareRequest, rehearsed=True, listed=True),
)
async def share(template_id: str, request: CommandedOrRehearsed) -> Response:
    """Let nobody else, a team, or the organisation see and use the template; what was made from it stays."""
    body: Any = request.read(ShareRequest)
    caller = template_caller(principal_of(request.request))
    command = ShareTemplate(template_named(template_id), caller, getattr(body, "with"))
    return await carry_out(request, request.handlers.templates.share, command, SharedTemplateReceipt)


@router.post(
    "/{template_id}/withdraw",
    summary="Withdraw a template",
    **openapi.command(WithdrawTemplate, WithdrawnTemplateReceipt, 404, rehearsed=True, listed=True),
)
async def withdraw(template_id: str, request: CommandedOrRehearsed) -> Response:
    """Take the template out of use; what was made from it stays. A further version takes this back."""
    caller = template_caller(principal_of(request.request))
    command = request.read(WithdrawTemplate, template=template_id, caller=caller)
    return await carry_out(request, request.handlers.templates.withdraw, command, WithdrawnTemplateReceipt)


@of_processes.get(
    "/{process}/template-update", summary="What its template would change", **openapi.query(TemplateUpdate, 404)
)
def update(process: str, reading: Reads, door: TheDoor, caller: Caller, given: Annotated[Fresh, Query()]) -> Response:
    """Return the latest version of the template that the process was made from, beside the version of then."""
    surroundings, acting = surroundings_of(door), template_caller(caller)
    return view(get_update(reading, surroundings, acting, process_named(process), min_position=given.min_position))


@of_processes.post(
    "/{process}/template-update",
    summary="Take a newer version of its template",
    **openapi.command(TakeTemplateVersion, TakenVersionReceipt, 404, rehearsed=True),
)
async def take(process: str, request: CommandedOrRehearsed) -> Response:
    """Bring the changes of the version into the draft, or into one begun from the published version."""
    caller = template_caller(principal_of(request.request))
    command = request.read(TakeTemplateVersion, process_id=process, caller=caller)
    return await carry_out(request, request.handlers.template_versions.take, command, TakenVersionReceipt)


@of_processes.post(
    "/{process}/template",
    summary="Save a process as a template",
    **openapi.command(SaveTemplate, SavedTemplateReceipt, 404, status=201, rehearsed=True),
)
async def save(process: str, request: CommandedOrRehearsed) -> Response:
    """Save the draft, or a published version, as a template, or as the next version of one that the caller keeps."""
    caller = template_caller(principal_of(request.request))
    command = request.read(SaveTemplate, process_id=process, caller=caller)
    return await carry_out(request, request.handlers.templates.save, command, SavedTemplateReceipt)
