"""The form that starts an execution, made from the declared input of the latest version."""

import functools
import json
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.executions import StartExecution
from domain.identity import new_id
from domain.language.types.inputs import InputSpec
from domain.refusal import Forbidden, Malformed, NotFound, Problem
from edge.admitted import Masking
from edge.dependencies import Reads, Versions, door_of
from edge.references import execution_named, process_named
from edge.scopes import requires
from queries.executions import Definitions, ExecutionDetail, get_execution
from queries.processes import ProcessDetail, get_process
from queries.reading import Reading
from web.controls import unplaced
from web.forms import PageParameters, carry_out_once, long_form
from web.layout import page
from web.processes.fields import controls_of, read_input, texts_of, untaken

# A browser writes a character of a text as up to nine bytes.
MAX_START = 4 << 20

router = APIRouter(prefix="/processes/{process}")


class StartParameters(PageParameters):
    """input_of: an execution of the process, whose input the form states again."""

    input_of: Annotated[str, Query(max_length=40)] = ""


@router.get("/start", **requires(StartExecution.scope))
def form(
    process: str,
    request: Request,
    reading: Reads,
    definitions: Versions,
    masking: Masking,
    given: Annotated[StartParameters, Query()],
) -> Response:
    """Return the form that starts an execution."""
    found = get_process(reading, process_named(process), min_position=given.min_position)
    spec = _spec(reading, definitions, found)
    if not given.input_of:
        return _form(request, found, spec, None, [], str(new_id()))
    before = masking.execution(get_execution(reading, definitions, execution_named(given.input_of)))
    if before.process_id != found.process_id:
        raise NotFound(f"that is no execution of the process {found.name!r}")
    input = json.loads(bytes(before.input)) or {}
    texts = texts_of(spec, input)
    return _form(request, found, spec, texts, [], str(new_id()), before=before, untaken=untaken(spec, input))


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
    given: dict[str, str] | None,
    problems: list[Problem],
    token: str,
    *,
    code: int = 200,
    before: ExecutionDetail | None = None,
    untaken: Sequence[str] = (),
) -> Response:
    controls = controls_of(spec, given, problems)
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
        before=before,
        untaken=untaken,
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
