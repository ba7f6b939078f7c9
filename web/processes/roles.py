"""The roles in a process: a matrix of its steps and agents, which a script makes a grid to edit, and a plain form."""

import functools
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import anyio
import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.role_changes import ChangeRoles
from domain.refusal import Forbidden, Malformed, NotFound, Refusal, Stale
from domain.roles.changes import RoleAssignment, RoleChanges, RoleRemoval
from edge.dependencies import Reads, door_of
from edge.principal import cause_of, principal_of
from edge.references import process_named
from edge.scopes import READ, requires
from edge.statuses import status_of
from queries.agents import list_agent_names
from queries.processes import get_process
from queries.reading import Reading, ReadModelRebuilding
from queries.role_drift import ProcessDrift, get_process_drift
from queries.roles import RoleAgent, RoleMatrix, RolesOfText, get_roles
from web.forms import PageParameters, carry_out, form_fields
from web.layout import page
from web.processes.role_cells import row_of_cells

LETTERS = {"executor": "E", "monitor": "M", "informed": "I"}
WORDS = {
    "executor": "does the work",
    "monitor": "watches over it: failures, late steps and cost",
    "informed": "is informed when it is done",
}
WHY_NONE = "decided by its conditions"
MOST_SUGGESTED = 500
EXPLAINS = {
    "draft": "Of the draft. Roles are edited here and saved together, as one revision.",
    "begun": "Of version {version}, which executions run. Saving begins a draft.",
    "published": "Of version {version}, which executions run. Its executors are fixed.",
}

router = APIRouter(prefix="/processes/{process}/roles")


class TypedRole(msgspec.Struct, frozen=True):
    """What was typed into the form of one role."""

    step: str = ""
    agent: str = ""
    role: str = "monitor"


UNTYPED = TypedRole()
_FIELDS = ("of", "revision", "step", "agent", "role")


class RolesPageParameters(PageParameters):
    """of: the draft or the published version. Default: the draft if there is one."""

    of: Annotated[RolesOfText | None, Query()] = None


@router.get("", **requires(READ))
def roles(process: str, request: Request, reading: Reads, given: Annotated[RolesPageParameters, Query()]) -> Response:
    """Return the page of the roles in one process."""
    found = _found(reading, process_named(process), given.of, given.min_position)
    return roles_page(request, reading, found, given.of or found.of)


@router.post("", **requires(ChangeRoles.scope))
async def change(process: str, request: Request, reading: Reads) -> Response:
    """Change the role of one agent in one step, as the form states it."""
    id, fields = process_named(process), await form_fields(request, *_FIELDS)
    of: RolesOfText = "published" if fields["of"] == "published" else "draft"
    stated = fields["revision"]
    revision = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else -1
    step, agent, role = fields["step"], fields["agent"], fields["role"]
    changes = (
        RoleChanges(revoke=[RoleRemoval(step, agent)])
        if role == "none"
        else RoleChanges(assign=[RoleAssignment(step, agent, role)])
    )
    try:
        command = ChangeRoles(id, of, changes, revision=revision)
        receipt = await carry_out(door_of(request).handlers.roles.change, command, cause_of(request))
    except (Malformed, Forbidden, Stale) as refusal:
        show = functools.partial(_refused, request, reading, id, of, TypedRole(step, agent, role), refusal)
        return await anyio.to_thread.run_sync(show)
    more = urlencode({"of": of, "min_position": receipt.position, "done": "roles-saved"})
    return RedirectResponse(f"/processes/{process}/roles?{more}", 303)


def _refused(
    request: Request, reading: Reading, id: UUID, of: RolesOfText, typed: TypedRole, refusal: Refusal
) -> Response:
    said = [each.message for each in getattr(refusal, "problems", ())] or [refusal.message]
    return roles_page(request, reading, _found(reading, id, of, None), of, typed, said, status_of(refusal))


def _found(reading: Reading, id: UUID, of: RolesOfText | None, min_position: int | None) -> RoleMatrix:
    """Return the matrix. A draft that is not there yet begins with the roles of the published version."""
    try:
        return get_roles(reading, id, of, min_position=min_position)
    except NotFound:
        if of != "draft":
            raise
        found = get_roles(reading, id, "published", min_position=min_position)
        return msgspec.structs.replace(found, revision=get_process(reading, id).revision)


def roles_page(
    request: Request,
    reading: Reading,
    found: RoleMatrix,
    shown: RolesOfText,
    typed: TypedRole = UNTYPED,
    refused: Sequence[str] = (),
    code: int = 200,
) -> Response:
    """Return the page. shown: the text whose roles it edits. refused: why the form `typed` was not saved."""
    agents = in_order(found)
    edits = principal_of(request).may(ChangeRoles.scope)
    explains = EXPLAINS["begun" if shown != found.of else shown].format(version=found.version)
    return page(
        request,
        "roles.html",
        title=f"Roles in {found.process}",
        nav="Processes",
        code=code,
        crumbs=[("Processes", "/processes"), (found.process, f"/processes/{found.process}"), ("Roles", None)],
        found=found,
        shown=shown,
        explains=explains,
        of_draft=EXPLAINS["draft"],
        of_both=len(found.texts) > 1,
        agents=agents,
        cells={row.step: row_of_cells(row, agents, found) for row in found.steps},
        missing={row.step: "executor" not in found.cells[row.step].values() for row in found.steps},
        drift=_drift(reading, found),
        names={row.step: row.name for row in found.steps},
        registered=list_agent_names(reading, limit=MOST_SUGGESTED) if edits else [],
        letters=LETTERS,
        words=WORDS,
        why_none=WHY_NONE,
        edits=edits,
        typed=typed,
        refused=refused,
    )


def _drift(reading: Reading, found: RoleMatrix) -> ProcessDrift | None:
    """Return who has done the work; None while a read model that it rests on is built."""
    try:
        return get_process_drift(reading, found.process_id)
    except ReadModelRebuilding:
        return None


def in_order(found: RoleMatrix) -> list[RoleAgent]:
    """Return the agents: executors first, then monitors, in the order of the steps; the retired last."""
    first: dict[str, int] = {}
    for row in found.steps:
        for agent in found.cells[row.step]:
            first.setdefault(agent, len(first))
    return sorted(found.agents, key=lambda a: (a.status == "retired", not a.executes, not a.monitors, first[a.name]))
