"""The way of every command through a door: from request to command to its answer."""

from typing import Annotated, Any, TypeVar

import anyio
import msgspec
from fastapi import Depends, Query, Request

from commands.command import REVISION, C, Handle
from commands.deciding import Identified
from commands.handlers import Handlers, RehearsingHandlers
from commands.idempotency import Replayed, answer_once
from commands.receipt import Receipt
from domain.event import Cause
from domain.refusal import Refusal
from edge.bodies import MAX_BODY, json_object, parse_aside, read_body
from edge.checking import check_fields
from edge.declared import fields_beside
from edge.dependencies import door_of
from edge.door import Door
from edge.headers import expected_revision, idempotency_key
from edge.parameters import DryRunParameters, refuse_parameters
from edge.principal import cause_of
from edge.references import REFERENCES
from edge.rehearsals import COMMANDS, DryRunAnswer, rehearse

# An input may have 1 MiB; the rest of the body is its braces.
MAX_INPUT = (1 << 20) + 1_024

Body = TypeVar("Body", bound=msgspec.Struct)


class CommandRequest:
    """A request that carries a command, with its body, which the door reads once. rehearses: it is a dry run."""

    def __init__(self, request: Request, body: bytes, *, rehearses: bool = False) -> None:
        self.request = request
        self.body = body
        self.door: Door = door_of(request)
        self._rehearsing = RehearsingHandlers(self.door.handlers) if rehearses else None
        self._parsed: dict[str, Any] | Refusal | None = None

    @property
    def handlers(self) -> Handlers:
        """The handlers of commands; in a dry run those that record nothing."""
        return self._rehearsing or self.door.handlers

    async def rehearse(self, handle: Handle[C], command: C) -> DryRunAnswer | None:
        """Return the events that a dry run would record; None if the request is no dry run. Raises refusals."""
        if self._rehearsing is None:
            return None
        return await rehearse(self.request, self._rehearsing, handle, command)

    def json_object(self) -> dict[str, Any]:
        """Return the JSON object in the body; an empty one for an empty body. Raises WrongMediaType or Malformed."""
        if self._parsed is None:
            self._parse()
        if isinstance(self._parsed, Refusal):
            raise self._parsed
        assert self._parsed is not None
        return self._parsed

    async def parse_aside(self) -> None:
        """Parse the body, a large one in another thread; `json_object` raises what is wrong with it."""
        await parse_aside(self.body, self._parse)

    def _parse(self) -> None:
        try:
            self._parsed = json_object(self.request, self.body)
        except Refusal as refusal:
            self._parsed = refusal

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
        stated = b"" if key is None else b"%s %s\n%s" % (scope["method"].encode(), self._target, self.body)

        def decide_and_append(identified: Identified) -> Receipt:
            return handle(command, because, identified)

        def answer() -> Replayed:
            return answer_once(self.handlers.log, key, because.actor, stated, decide_and_append)

        return await anyio.to_thread.run_sync(answer, limiter=COMMANDS)

    @property
    def _target(self) -> bytes:
        scope = self.request.scope
        path: bytes = scope["path"].encode()
        return path + b"?" + scope["query_string"] if scope["query_string"] else path


async def receive(request: Request, limit: int = MAX_BODY, *, rehearses: bool = False) -> CommandRequest:
    """Return the request with its body, parsed. Raises TooLarge or WrongMediaType; `json_object` raises the others."""
    received = CommandRequest(request, await read_body(request, limit), rehearses=rehearses)
    await received.parse_aside()
    return received


async def _with_body(request: Request) -> CommandRequest:
    refuse_parameters(request)
    return await receive(request)


async def _with_parameters(request: Request) -> CommandRequest:
    return await receive(request)


async def _with_dry_run(request: Request, given: Annotated[DryRunParameters, Query()]) -> CommandRequest:
    return await receive(request, rehearses=given.dry_run)


async def _with_input(request: Request) -> CommandRequest:
    refuse_parameters(request)
    return await receive(request, MAX_INPUT)


async def read_input(request: Request) -> CommandRequest:
    """Return the request with its body, the input of an execution, not parsed. Raises TooLarge or WrongMediaType."""
    refuse_parameters(request)
    return CommandRequest(request, await read_body(request, MAX_INPUT))


Commanded = Annotated[CommandRequest, Depends(_with_body)]
CommandedWithParameters = Annotated[CommandRequest, Depends(_with_parameters)]
"""For routes that declare query parameters."""
CommandedOrRehearsed = Annotated[CommandRequest, Depends(_with_dry_run)]
"""For commands that can be decided without being recorded."""
CommandedWithInput = Annotated[CommandRequest, Depends(_with_input)]
"""For bodies that hold the input of an execution."""
