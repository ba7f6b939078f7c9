"""The JSON Schema of the process language."""

import functools
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import encode
from domain.language import json_schema
from edge.parameters import Parameters

router = APIRouter(tags=["processes"])


@router.get("/schema", summary="The process language", **openapi.query(dict[str, Any], listed=True))
def get(_given: Annotated[Parameters, Query()]) -> Response:
    """Return the JSON Schema (2020-12) of the process language, for editors."""
    return Response(_encoded(), media_type="application/json")


@functools.cache
def _encoded() -> bytes:
    return encode(json_schema())
