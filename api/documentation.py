"""The description of the API for programs, at /openapi.json; people read it at /docs."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from edge.admitted import ADMITTED
from edge.parameters import NO_PARAMETERS
from edge.scopes import READ_DESCRIPTION, requires

router = APIRouter(dependencies=[NO_PARAMETERS], include_in_schema=False)


@router.get("/openapi.json", dependencies=[ADMITTED], **requires(READ_DESCRIPTION, listed=True))
def description(request: Request) -> Response:
    """Return the description of the API."""
    return JSONResponse(request.app.openapi())
