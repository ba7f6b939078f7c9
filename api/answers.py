"""Answers: msgspec encodes each once."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import JSONResponse

encode = msgspec.json.Encoder().encode


class JsonBody(JSONResponse):
    """A JSON answer: a view, a receipt, or any other value that msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the JSON of `content`."""
        return encode(content)


class ProblemJson(JsonBody):
    """A problem document."""

    media_type = "application/problem+json"


def view(content: Any, headers: Mapping[str, str] | None = None) -> JsonBody:
    """Return 200 with the view that a query returned."""
    return JsonBody(content, 200, headers)
