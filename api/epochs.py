"""Epochs of the log: the servers that wrote it, one after the other."""

from fastapi import APIRouter
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.dependencies import Reads
from edge.parameters import NO_PARAMETERS
from queries.epochs import EpochsOfLog, list_epochs

router = APIRouter(prefix="/epochs", tags=["operations"])


@router.get("", summary="Epochs of the log", dependencies=[NO_PARAMETERS], **openapi.query(EpochsOfLog))
def list_(reading: Reads) -> Response:
    """List the epochs, the present one first: each begins when another server takes over, as in a failover."""
    return view(list_epochs(reading.progress))
