"""Settings in force in the process that serves the page, without the values of secrets."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from edge.dependencies import TheDoor
from edge.scopes import READ_SETTINGS, requires
from web.operations.tabs import tab

router = APIRouter(prefix="/operations/settings")


@router.get("", **requires(READ_SETTINGS))
def settings(request: Request, door: TheDoor) -> Response:
    """Return the page of settings; of a secret, only whether it is set."""
    return tab(request, "settings.html", name="Settings", items=door.settings)
