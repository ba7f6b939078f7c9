"""The way of every command through a door: from request to command to its answer."""

from typing import Annotated, Any, TypeVar

import anyio
import msgspec
from anyio import CapacityLimiter
from fastapi import Depends, Request

from commands.command import REVISION, C, Handle
from commands.deciding import Identified
from commands.handlers import Handlers
from commands.idempotency import Replayed, answer_once
from commands.receipt import Receipt
from domain.event import Cause
from edge.bodies import json_object, read_body
from edge.checking import check_fields
from edge.declared import fields_beside
from edge.dependencies import door_of
from edge.door import Door
from edge.headers import expected_revision, idempotency_key
from edge.parameters import refuse_parameters
from edge.principal import cause_of
from edge.references import REFERENCES

# Commands that wait for the same append share a transaction: the limit bounds the size of that transaction.
COMMANDS = CapacityLimiter(64)
# An input may have 1 MiB; the rest of the body is its braces.
MAX_INPUT = (1 << 20) + 1_024

Body = TypeVar("Body", bound=msgspec.Struct)


class CommandRequest:
    """A request that carries a command, with its body, which the door reads once."""

    def __init__(self, request: Request, body: bytes) -> None:
        self.request = request
        self.body = body
        self.door: Door = door_of(request)

    @property
    def handlers(self) -> Handlers:
        """The handlers of commands."""
        return self.door.handlers

    def json_object(self) -> dict[str, Any]:
        """Return the JSON object in the body; an empty one for an empty body. Raises WrongMediaType or Malformed."""
        return json_object(self.request, self.body)

    def read(self, kind: type[Body], /, **beside: Any) -> Body:
        """Return the command, or the body, that the request states.

        beside: fields that the path names, as their texts, and fields that the route sets. Raises Malformed with all
        problems of the body, NotFound for a text in the path that refers to nothing, or BadRequest.
        """
        fields = check_fields(kind, self.json_object(), self.body)
        for name, noun in fields_beside(kind).items():
            if noun == REVISION:
                fields[name] = expected_revision(self.request)
            elif name in beside:
                refer = REFERENCES.get(noun)
                fields[name] = beside[name] if refer is None else refer(beside[name])
        return kind(**fields)

    async def carry_out(
        self, handle: Handle[C], command: C, *, cause: Cause | None = None, key: str | None = None
    ) -> Replayed:
        """Carry out `command`, or return its first answer when an earlier request had the same Idempotency-Key.

        cause: default: the request's. key: takes the place of the Idempotency-Key.
        """
        key = key or idempotency_key(self.request)
        because = cause or cause_of(self.request)
        scope = self.request.scope
        stated = b"" if key is None else b"%s %s\n%s" % (scope["method"].encode(), scope["path"].encode(), self.body)

        def decide_and_append(identified: Identified) -> Receipt:
            return handle(command, because, identified)

        def answer() -> Replayed:
            return answer_once(self.handlers.log, key, because.actor, stated, decide_and_append)

        return await anyio.to_thread.run_sync(answer, limiter=COMMANDS)


async def _with_body(request: Request) -> CommandRequest:
    refuse_parameters(request)
    return CommandRequest(request, await read_body(request))


async def read_input(request: Request) -> CommandRequest:
    """Return the request with its body, which may hold the input of an execution. Raises TooLarge or WrongMediaType."""
    refuse_parameters(request)
    return CommandRequest(request, await read_body(request, MAX_INPUT))


Commanded = Annotated[CommandRequest, Depends(_with_body)]
CommandedWithInput = Annotated[CommandRequest, Depends(read_input)]
"""For bodies that hold the input of an execution."""
