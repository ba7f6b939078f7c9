"""The roles in a process: a table of its steps and the agents that have roles in them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from edge.dependencies import Reads
from edge.references import process_named
from edge.scopes import READ, requires
from queries.roles import RolesOfText, get_roles
from web.forms import PageParameters
from web.layout import page

LETTERS = {"executor": "E", "monitor": "M", "informed": "I"}
WORDS = {"executor": "does the work", "monitor": "watches over it", "informed": "is informed when it is done"}
WHY_NONE = {"gateway": "A gateway is decided by its conditions and has no roles."}

router = APIRouter(prefix="/processes/{process}/roles")


class RolesPageParameters(PageParameters):
    """of: the draft or the published version. Default: the draft if there is one."""

    of: Annotated[RolesOfText | None, Query()] = None


@router.get("", **requires(READ))
def roles(process: str, request: Request, reading: Reads, given: Annotated[RolesPageParameters, Query()]) -> Response:
    """Return the page of the roles in one process."""
    found = get_roles(reading, process_named(process), given.of, min_position=given.min_position)
    return page(
        request,
        "roles.html",
        title=f"Roles in {found.process}",
        nav="Processes",
        freshness=found,
        crumbs=[("Processes", "/processes"), (found.process, f"/processes/{found.process}"), ("Roles", None)],
        found=found,
        letters=LETTERS,
        words=WORDS,
        why_none=WHY_NONE,
    )
