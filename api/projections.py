"""Projections: the position of each read model."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.admitted import Masking
from edge.dependencies import Reads
from edge.parameters import Parameters
from queries.projections import ProjectionsView, list_projections

router = APIRouter(tags=["operations"])


@router.get("/projections", summary="Read models", **openapi.query(ProjectionsView, listed=True))
def list_(reading: Reads, masking: Masking, _given: Annotated[Parameters, Query()]) -> Response:
    """List the position, lag and state of every read model."""
    return view(masking.read_models(list_projections(reading)))
