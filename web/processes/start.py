"""The form that starts an execution, made from the declared input of the latest version."""

import functools
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.executions import StartExecution
from domain.identity import new_id
from domain.language.types.inputs import InputSpec
from domain.refusal import Forbidden, Malformed, Problem
from edge.dependencies import Reads, Versions, door_of
from edge.references import process_named
from edge.scopes import requires
from queries.executions import Definitions
from queries.processes import ProcessDetail, get_process
from queries.reading import Reading
from web.controls import unplaced
from web.forms import PageParameters, carry_out_once, long_form
from web.layout import page
from web.processes.fields import controls_of, read_input

# A browser writes a character of a text as up to nine bytes.
MAX_START = 4 << 20

router = APIRouter(prefix="/processes/{process}")


@router.get("/start", **requires(StartExecution.scope))
def form(
    process: str, request: Request, reading: Reads, definitions: Versions, given: Annotated[PageParameters, Query()]
) -> Response:
    """Return the form that starts an execution."""
    found = get_process(reading, process_named(process), min_position=given.min_position)
    spec = _spec(reading, definitions, found)
    return _form(request, found, spec, {}, [], str(new_id()), code=200)


@router.post("/start", **requires(StartExecution.scope))
async def start(process: str, request: Request, reading: Reads, definitions: Versions) -> Response:
    """Start an execution, and go to its page; or return the form with every problem at its field."""
    given = await long_form(request, MAX_START)
    found = await anyio.to_thread.run_sync(get_process, reading, process_named(process))
    spec = await anyio.to_thread.run_sync(_spec, reading, definitions, found)
    token = given.pop("token", "")
    try:
        input = await anyio.to_thread.run_sync(read_input, spec, given)
        command = StartExecution(found.process_id, input)
        started = await carry_out_once(request, door_of(request).handlers.executions.start, command, token)
    except Malformed as malformed:
        problems = malformed.problems or [Problem(malformed.code, malformed.message)]
        again = functools.partial(_form, request, found, spec, given, problems, token or str(new_id()), code=422)
        return await anyio.to_thread.run_sync(again)
    id = UUID(started.facts["execution_id"])
    return RedirectResponse(f"/executions/{id}?min_position={started.position}&done=started", 303)


def _form(
    request: Request,
    found: ProcessDetail,
    spec: InputSpec,
    given: dict[str, str],
    problems: list[Problem],
    token: str,
    *,
    code: int,
) -> Response:
    controls = controls_of(spec, given if code != 200 else None, problems)
    return page(
        request,
        "start.html",
        title=f"Start {found.name}",
        nav="Processes",
        code=code,
        crumbs=[("Processes", "/processes"), (found.name, f"/processes/{found.name}"), ("Start", None)],
        found=found,
        controls=controls,
        problems=problems,
        unplaced=unplaced(controls, problems),
        token=token,
    )


def _spec(reading: Reading, definitions: Definitions, found: ProcessDetail) -> InputSpec:
    """Return the input of the latest version. Raises Forbidden when nothing can start."""
    if found.status == "archived":
        raise Forbidden(f"the process {found.name!r} is archived", code="process_archived")
    if found.paused is not None and found.paused.mode == "refuse":
        raise Forbidden(f"the process {found.name!r} is paused and refuses starts", code="process_paused")
    if found.version is None:
        raise Forbidden(f"the process {found.name!r} has no published version", code="nothing_published")
    with reading.datastore.reading() as connection:
        return definitions.compiled(connection, found.process_id, found.version)[0].input_spec
