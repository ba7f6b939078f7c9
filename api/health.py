"""Health: for whoever decides whether this process lives, and whether it gets requests."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import openapi
from api.answers import Json, view
from api.parameters import NO_PARAMETERS
from queries.health import Live, Readiness, get_readiness

router = APIRouter(prefix="/health", tags=["operations"])

_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {
        "description": "Not ready",
        "content": {"application/json": {"schema": openapi.schema_of(Readiness)}},
    }
}
_READY = openapi.query(Readiness)
_READY["responses"] |= _NOT_READY


@router.get("/live", dependencies=[NO_PARAMETERS], summary="Does it live", **openapi.query(Live))
async def live() -> Response:
    """200 as long as requests are answered at all."""
    return view(Live())


@router.get("/ready", dependencies=[NO_PARAMETERS], summary="Is it ready", **_READY)
def ready(request: Request) -> Response:
    """200 when the database answers and is migrated; else 503. Says how far read models are behind."""
    readiness = get_readiness(request.app.state.services.reading)
    return Json(readiness, 200 if readiness.status == "ready" else 503)
