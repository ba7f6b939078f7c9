"""Streamed answers of models: server-sent events, put together to the answer that they stand for."""

import re
from collections.abc import Callable
from typing import Any

from gateway.answers import read_json
from gateway.exchange import Reply
from gateway.failures import AnswerMalformed

STREAM = "text/event-stream"
_DATA = re.compile(rb"^data:[ \t]?(.*?)\r?$", re.MULTILINE)

Assemble = Callable[[list[dict[str, Any]]], Any]


def read_answer(reply: Reply, assemble: Assemble) -> Any:
    """Return the JSON value of a reply; of a stream the value that `assemble` makes of its events.

    Raises AnswerMalformed.
    """
    if reply.media_type != STREAM:
        return read_json(reply.content())
    found = [read_json(data) for data in _DATA.findall(reply.content()) if data not in (b"", b"[DONE]")]
    return assemble([each for each in found if isinstance(each, dict)])


def assemble_chat(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the chat completion that chunks stand for; the last one has the usage."""
    completion: dict[str, Any] = {}
    texts: list[str] = []
    reason = None
    for chunk in chunks:
        completion |= {k: chunk[k] for k in ("id", "model", "service_tier", "usage") if chunk.get(k) is not None}
        for choice in _objects(chunk.get("choices"))[:1]:
            delta = choice.get("delta")
            if isinstance(delta, dict) and isinstance(delta.get("content"), str):
                texts.append(delta["content"])
            reason = choice.get("finish_reason") or reason
    content = "".join(texts) if texts else None
    return completion | {"choices": [{"message": {"content": content}, "finish_reason": reason}]}


def assemble_response(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the response in the event that ends the stream. Raises AnswerMalformed if none does."""
    for event in reversed(events):
        response = event.get("response")
        if event.get("type") in _ENDS and isinstance(response, dict):
            return response
    raise AnswerMalformed("the stream ended before the response did")


def assemble_message(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the message that events stand for; the usage at the end takes the place of that at the beginning."""
    message: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    texts: list[str] = []
    for event in events:
        begun, delta = event.get("message"), event.get("delta")
        if event.get("type") == "message_start" and isinstance(begun, dict):
            message = dict(begun)
            usage |= _stated(begun.get("usage"))
        elif event.get("type") == "content_block_delta" and isinstance(delta, dict):
            if isinstance(delta.get("text"), str):
                texts.append(delta["text"])
        elif event.get("type") == "message_delta":
            message |= _stated(delta)
            usage |= _stated(event.get("usage"))
    if usage:
        message["usage"] = usage
    return message | {"content": [{"type": "text", "text": "".join(texts)}] if texts else []}


_ENDS = frozenset(("response.completed", "response.incomplete", "response.failed"))


def _stated(value: Any) -> dict[str, Any]:
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
