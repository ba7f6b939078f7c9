"""From request to command to receipt: the way every command goes."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
from anyio import CapacityLimiter
from starlette.requests import Request

from api.answers import Json
from api.asking import cause_of, idempotency_key
from commands.deciding import Identified
from commands.idempotency import Replayed, answer_once
from commands.receipt import Receipt
from domain.event import Cause

# Commands that wait for the same append share a transaction: the more may wait together, the larger it gets.
COMMANDS = CapacityLimiter(64)

Command = Callable[[Cause, Identified], Receipt]


async def carry_out(
    request: Request,
    body: bytes,
    command: Command,
    *,
    status: int = 200,
    cause: Cause | None = None,
    always: Mapping[str, object] | None = None,
    key: str | None = None,
) -> Json:
    """Carry out `command`, or give its first answer again when the request's Idempotency-Key was used for it before.

    cause: the request's, unless given. always: what the answer holds whatever the command says. key: stands in for an
    Idempotency-Key.
    """
    key = key or idempotency_key(request)
    because = cause or cause_of(request)
    asked = b"" if key is None else b"%s %s\n%s" % (request.method.encode(), request.scope["path"].encode(), body)

    def work() -> Replayed:
        log = request.app.state.services.log
        return answer_once(log, key, asked, lambda identified: command(because, identified))

    return answer(await anyio.to_thread.run_sync(work, limiter=COMMANDS), status, always or {})


def answer(replayed: Replayed, status: int, always: Mapping[str, object]) -> Json:
    """What the command did, and up to which position."""
    content: dict[str, Any] = {**always, **replayed.facts, "position": replayed.position}
    if replayed.duplicate:
        content["duplicate"] = True
    return Json(content, status, {"Idempotency-Replayed": "true"} if replayed.replayed else None)
