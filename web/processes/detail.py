"""One process: its diagram, how it starts, who calls it, its versions and what differs between two."""

import json
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import Response

from commands.executions import StartExecution
from commands.process_pauses import PauseProcess
from commands.processes import ArchiveProcess, ReviseProcess
from commands.templates import SaveTemplate
from domain.refusal import NotFound
from edge.admitted import Caller
from edge.dependencies import Reads, Versions, door_of
from edge.references import process_named
from edge.scopes import READ, requires
from edge.templates import surroundings_of, template_caller
from queries.executions import Definitions
from queries.process_costs import SpentOfLimit, spent_of_limits
from queries.process_days import recent_outcomes
from queries.process_versions import list_process_versions
from queries.processes import ProcessDetail, get_process, get_process_version
from queries.reading import Reading, ReadModelRebuilding
from queries.roles_now import RoleNow, roles_now
from queries.templates.newest import origin_of
from queries.thresholds import ThresholdsView, get_thresholds
from web.forms import PageParameters
from web.layout import page, reader_of
from web.processes import drawing
from web.processes.costs import windows_of
from web.processes.differences import differing_lines, step_notes
from web.processes.list import under_way
from web.processes.open_steps import DrawnParameters, open_steps
from web.processes.shades import COLOURS, DEFINED, shaded_steps
from web.processes.triggers import ways_to_start

DRAFT = "draft"
VERSIONS_SHOWN = 5

router = APIRouter(prefix="/processes/{process}")


class ComparedSide(msgspec.Struct, frozen=True):
    """One side of a comparison. label: ``version 3`` or ``the draft``. steps: None while the text has errors."""

    label: str
    version: int | None
    text: str
    steps: list[dict[str, Any]] | None


class ColouredParameters(DrawnParameters):
    """colour: of the steps in the diagram, one of those in COLOURS; another one is as if none was given."""

    colour: Annotated[str, Query(max_length=20)] = ""


class VersionsParameters(PageParameters):
    """Two versions, by number, or ``draft``."""

    before: Annotated[str, Query(alias="from", max_length=10)] = ""
    after: Annotated[str, Query(alias="to", max_length=10)] = ""


@router.get("", **requires(READ))
def detail(
    process: str,
    request: Request,
    reading: Reads,
    definitions: Versions,
    caller: Caller,
    given: Annotated[ColouredParameters, Query()],
) -> Response:
    """Return the page of one process."""
    id = process_named(process)
    found = get_process(reading, id, min_position=given.min_position)
    limits = get_thresholds(reading, id)
    shaded = None if found.version is None else shaded_steps(reading, id, given.colour, reader_of(request))
    return page(
        request,
        "process.html",
        title=found.name,
        nav="Processes",
        freshness=found,
        crumbs=[("Processes", "/processes"), (found.name, None)],
        found=found,
        picture=drawing.drawing_of_process(
            reading, definitions, found, shaded=shaded, opened=open_steps(request, given.inside)
        ),
        shaded=shaded,
        given=given,
        colours=COLOURS,
        defined=DEFINED,
        roles_of_now=_roles_of_now(reading, found),
        limits=limits,
        windows=_windows(reading, limits, reader_of(request).now),
        versions=list_process_versions(reading, id, limit=VERSIONS_SHOWN),
        under_way=under_way(found),
        recent=recent_outcomes(reading, [id]).get(id),
        starts=caller.may(StartExecution.scope) and found.version is not None and _may_start(found),
        designs=caller.may(ReviseProcess.scope),
        archives=caller.may(ArchiveProcess.scope),
        pauses=caller.may(PauseProcess.scope),
        saves=caller.may(SaveTemplate.scope) and bool(found.yaml),
        made_from=origin_of(reading, surroundings_of(door_of(request)), template_caller(caller), id),
        **ways_to_start(request, reading, caller, found),
    )


@router.get("/versions", **requires(READ))
def versions(process: str, request: Request, reading: Reads, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the page of the published versions, the newest first."""
    id = process_named(process)
    found = get_process(reading, id, min_position=given.min_position)
    listed = list_process_versions(reading, id, cursor=given.cursor)
    return page(
        request,
        "versions.html",
        title=f"Versions of {found.name}",
        nav="Processes",
        freshness=listed,
        crumbs=_crumbs(found.name, "Versions"),
        found=found,
        listed=listed,
        given=given,
    )


@router.get("/versions/compare", **requires(READ))
def compare(
    process: str, request: Request, reading: Reads, definitions: Versions, given: Annotated[VersionsParameters, Query()]
) -> Response:
    """Return the page of the difference between two versions, or between a version and the draft."""
    id = process_named(process)
    found = get_process(reading, id, min_position=given.min_position)
    latest = found.version or 0
    default = (str(latest), DRAFT) if found.draft is not None else (str(max(1, latest - 1)), str(latest))
    before = _side(reading, found, given.before or default[0])
    after = _side(reading, found, given.after or default[1])
    notes = step_notes(before.steps or [], after.steps or [])
    return page(
        request,
        "compare.html",
        title=f"Changes of {found.name}",
        nav="Processes",
        crumbs=_crumbs(found.name, "Changes"),
        found=found,
        before=before,
        after=after,
        lines=differing_lines(before.text, after.text),
        notes=notes,
        pictures=[
            (before, _side_picture(reading, definitions, id, found.name, before, notes.before)),
            (after, _side_picture(reading, definitions, id, found.name, after, notes.after)),
        ],
    )


@router.get("/versions/{version}", **requires(READ))
def version(
    process: str,
    version: str,
    request: Request,
    reading: Reads,
    definitions: Versions,
    given: Annotated[DrawnParameters, Query()],
) -> Response:
    """Return the page of one published version."""
    id = process_named(process)
    found = get_process_version(reading, id, _number(version), min_position=given.min_position)
    return page(
        request,
        "version.html",
        title=f"{found.name} version {found.version}",
        nav="Processes",
        freshness=found,
        crumbs=[*_crumbs(found.name, f"Version {found.version}")],
        found=found,
        picture=drawing.drawing_of_version(
            reading,
            definitions,
            id,
            found.version,
            found.name,
            opened=open_steps(request, given.inside),
        ),
    )


def _windows(reading: Reading, limits: ThresholdsView, now: datetime) -> dict[str, tuple[SpentOfLimit, list[int]]]:
    """Return what is spent of the limits; nothing while that is built anew."""
    with suppress(ReadModelRebuilding):
        return windows_of(spent_of_limits(reading, limits, now))
    return {}


def _roles_of_now(reading: Reading, found: ProcessDetail) -> dict[str, list[RoleNow]]:
    """Return who watches and is informed; nobody while that is built anew, and before a publication."""
    if found.published_at is None:
        return {}
    with suppress(ReadModelRebuilding):
        return roles_now(reading, found.process_id, found.published_at)
    return {}


def _may_start(found: ProcessDetail) -> bool:
    return found.status != "archived" and (found.paused is None or found.paused.mode == "queue")


def _side(reading: Reading, found: ProcessDetail, stated: str) -> ComparedSide:
    if stated == DRAFT:
        if found.draft is None:
            raise NotFound("there is no draft")
        steps = None if found.draft.definition is None else found.draft.definition["steps"]
        return ComparedSide("the draft", None, found.draft.yaml, steps)
    number = _number(stated)
    published = get_process_version(reading, found.process_id, number)
    steps = json.loads(bytes(published.definition))["steps"]
    return ComparedSide(f"version {number}", number, published.yaml, steps)


def _side_picture(
    reading: Reading, definitions: Definitions, id: UUID, name: str, side: ComparedSide, notes: dict[str, str]
) -> Markup | None:
    if side.version is None:
        return drawing.drawing_of_text(id, side.text, name, notes)
    return drawing.drawing_of_version(reading, definitions, id, side.version, name, notes)


def _number(stated: str) -> int:
    if not (stated.isascii() and stated.isdigit() and 0 < len(stated) <= 9):
        raise NotFound("there is no such version")
    return int(stated)


def _crumbs(name: str, last: str) -> list[tuple[str, str | None]]:
    return [("Processes", "/processes"), (name, f"/processes/{name}"), (last, None)]
