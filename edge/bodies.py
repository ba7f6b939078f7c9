"""Bodies: a door reads each once, up to a bound, in the media types that it accepts."""

from collections.abc import Callable
from email.message import Message
from typing import Any, TypeVar

import anyio
from starlette.requests import ClientDisconnect, Request

from domain.jsonvalue import parse_json
from domain.refusal import Problem
from edge.refusals import Interrupted, TooLarge, WrongMediaType, malformed

MAX_BODY = 2 << 20
# Parsing 2 MiB of small objects takes 0.3 s; other threads have the interpreter in between.
PARSED_ASIDE = 64 << 10
JSON = "application/json"
V = TypeVar("V")
YAML = frozenset(("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"))


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """Return the body of `request`. Raises TooLarge as soon as it has more than `limit` bytes."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise WrongMediaType("bodies are read as they are, without Content-Encoding")
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
    except ClientDisconnect:
        raise Interrupted("the body was not complete") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"a body has at most {limit} bytes here", limit=limit)


def media_type(request: Request) -> str:
    """Return the media type, lower case, without parameters; default: empty. Raises WrongMediaType (charset)."""
    stated = request.headers.getlist("content-type")
    if len(stated) > 1:
        raise WrongMediaType("Content-Type is stated once")
    given = stated[0] if stated else ""
    if given == JSON or not given:
        return given
    message = Message()
    message["content-type"] = given
    charset = message.get_param("charset", "utf-8")
    if not isinstance(charset, str) or charset.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise WrongMediaType("text is sent in UTF-8")
    return message.get_content_type().lower()


def is_json(kind: str) -> bool:
    """Return whether a media type is JSON."""
    return kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))


def json_value(request: Request, body: bytes) -> Any:
    """Return the JSON in `body`, null for an empty body. Raises WrongMediaType or Malformed.

    An empty body may lack a media type. One that it has must be JSON: forms of pages on the web state others.
    """
    kind = media_type(request)
    if (body or kind) and not is_json(kind):
        raise WrongMediaType(f"the body is sent as {JSON}")
    return parse_json(body) if body else None


async def parse_aside(body: bytes, parse: Callable[[], V]) -> V:
    """Return what `parse` makes of `body`: of a large one in another thread, so that others are served meanwhile."""
    return parse() if len(body) < PARSED_ASIDE else await anyio.to_thread.run_sync(parse)


def json_object(request: Request, body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`; an empty one for an empty body. Raises WrongMediaType or Malformed."""
    value = json_value(request, body)
    if not body:
        return {}
    if not isinstance(value, dict):
        raise malformed([Problem("wrong_type", "the body is a JSON object")])
    return value
