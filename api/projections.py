"""Projections: how far each read model is."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.parameters import Asked
from queries.projections import ProjectionsView, list_projections

router = APIRouter(tags=["operations"])


@router.get("/projections", summary="Read models", **openapi.query(ProjectionsView))
def list_(request: Request, _asked: Annotated[Asked, Query()]) -> Response:
    """Position, lag and state of every read model."""
    return view(list_projections(request.app.state.services.reading))
