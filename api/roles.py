"""Roles in a process: the matrix of its steps and agents."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.dependencies import Reads
from edge.parameters import Fresh
from edge.references import process_named
from queries.roles import RoleMatrix, RolesOfText, get_roles

router = APIRouter(prefix="/processes/{process}/roles", tags=["processes"])


class RolesParameters(Fresh):
    """of: the draft or the published version. Default: the draft if there is one."""

    of: Annotated[RolesOfText | None, Field()] = None


@router.get("", summary="Roles in a process", **openapi.query(RoleMatrix, 404))
def roles(process: str, reading: Reads, given: Annotated[RolesParameters, Query()]) -> Response:
    """Return who does the work of each step, who watches over it and who is informed; defaults are included."""
    return view(get_roles(reading, process_named(process), given.of, min_position=given.min_position))
