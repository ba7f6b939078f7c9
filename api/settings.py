"""Settings: those in force in the process that answers, without the values of secrets."""

from fastapi import APIRouter
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.dependencies import TheDoor
from edge.parameters import NO_PARAMETERS
from edge.scopes import READ_SETTINGS
from queries.settings import SettingsView

router = APIRouter(prefix="/settings", tags=["operations"])


@router.get(
    "",
    summary="Settings in force",
    dependencies=[NO_PARAMETERS],
    **openapi.query(SettingsView, permission=READ_SETTINGS),
)
async def get(door: TheDoor) -> Response:
    """Return the settings of the process that answers; of a secret, only whether it is set."""
    return view(SettingsView(door.settings))
