"""Roles in a process: the matrix of its steps and agents, and its change."""

from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import JsonBody
from api.receipts import RehearsedReceipt, carry_out
from commands.command import Note
from commands.role_changes import ChangeRoles
from domain.refusal import Problem
from domain.roles.changes import MOST_CHANGES, RoleAssignment, RoleChanges, RoleRemoval
from edge.command_request import receive
from edge.declared import Read
from edge.dependencies import Reads
from edge.headers import etag, expected_revision
from edge.parameters import DryRunParameters, Fresh
from edge.references import process_named
from queries.roles import RoleMatrix, RolesOfText, get_roles

Change = TypeVar("Change", RoleAssignment, RoleRemoval)

router = APIRouter(prefix="/processes/{process}/roles", tags=["processes"])


class RolesParameters(Fresh):
    """of: the draft or the published version. Default: the draft if there is one."""

    of: Annotated[RolesOfText | None, Field()] = None


class RoleChangeParameters(DryRunParameters):
    """of: the draft, which begins from the published version if there is none, or the published version itself."""

    of: Annotated[RolesOfText, Field()] = "draft"


def _assignments(given: Any, _body: bytes) -> list[RoleAssignment]:
    return _bounded(msgspec.convert(given, list[RoleAssignment]))


def _removals(given: Any, _body: bytes) -> list[RoleRemoval]:
    return _bounded(msgspec.convert(given, list[RoleRemoval]))


def _bounded(changes: list[Change]) -> list[Change]:
    if len(changes) > MOST_CHANGES:
        raise ValueError(f"a change set has at most {MOST_CHANGES} entries")
    return changes


class StatedRoleChanges(msgspec.Struct, frozen=True):
    """A change set, made as a whole or not at all. reason: why, for people."""

    assign: Annotated[Any, Read(_assignments, list[RoleAssignment])] = None
    revoke: Annotated[Any, Read(_removals, list[RoleRemoval])] = None
    reason: Note = ""


class RolesReceipt(RehearsedReceipt, kw_only=True):
    """The roles are changed. of: ``draft`` or ``published``. revision: of the roles, for the If-Match of a next change.

    problems: of the draft; errors stop its publication. warnings: those that do not. duplicate: nothing changed.
    """

    process_id: UUID
    name: str
    of: str
    revision: int
    problems: list[Problem] = []
    warnings: list[Problem] = []


@router.get("", summary="Roles in a process", **openapi.query(RoleMatrix, 404))
def roles(process: str, reading: Reads, given: Annotated[RolesParameters, Query()]) -> Response:
    """Return who does the work of each step, who watches over it and who is informed; defaults are included."""
    found = get_roles(reading, process_named(process), given.of, min_position=given.min_position)
    return JsonBody(found, 200, etag(found.revision))


@router.put(
    "",
    summary="Change roles",
    **openapi.command(ChangeRoles, RolesReceipt, 404, rehearsed=True, body=StatedRoleChanges),
)
async def change(process: str, request: Request, given: Annotated[RoleChangeParameters, Query()]) -> Response:
    """Change roles in the draft, or monitors and informed agents on the published version, from the next event on."""
    commanded = await receive(request, rehearses=given.dry_run)
    stated = commanded.read(StatedRoleChanges)
    command = ChangeRoles(
        process_named(process),
        given.of,
        RoleChanges(stated.assign or [], stated.revoke or []),
        stated.reason,
        expected_revision(request),
    )
    return await carry_out(commanded, commanded.handlers.roles.change, command, RolesReceipt)
