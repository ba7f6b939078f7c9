"""Forms: what a browser sends when a person presses a button, and the command that follows."""

import functools
import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import anyio
import msgspec
from pydantic import ConfigDict, model_validator
from starlette.requests import Request

from commands.command import C, Handle
from commands.deciding import unidentified
from commands.idempotency import Replayed, answer_once
from commands.receipt import Receipt
from domain.event import Cause
from domain.refusal import Problem
from edge.bodies import media_type, read_body
from edge.dependencies import door_of
from edge.parameters import Paged
from edge.principal import cause_of
from edge.refusals import WrongMediaType, malformed
from edge.rehearsals import COMMANDS

FORM = "application/x-www-form-urlencoded"
MAX_FORM = 64 << 10
MAX_FIELDS = 100
MAX_TEXT = 2_000
MOST_LONG_FIELDS = 300
_TOKEN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class PageParameters(Paged):
    """The query parameters of a page. done: what a form has just done; parameters of others are ignored.

    A page shows what an address means as far as it means something: characters that PostgreSQL lacks are left out.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    done: str = ""

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        return {name: _without_nul(value) for name, value in given.items()} if isinstance(given, dict) else given


async def form_fields(request: Request, *names: str) -> dict[str, str]:
    """Return the texts of the fields `names` of a form; absent ones are empty. Raises WrongMediaType or Malformed."""
    if media_type(request) != FORM:
        raise WrongMediaType(f"a form is sent as {FORM}")
    body = await read_body(request, MAX_FORM)
    try:
        given = dict(parse_qsl(body.decode("ascii"), strict_parsing=False, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise malformed([Problem("malformed", "the form cannot be read")]) from None
    found = {name: given.get(name, "").strip() for name in names}
    problems = [
        Problem("invalid_value", f"{name} is a text of at most {MAX_TEXT} characters without NUL", name)
        for name, text in found.items()
        if len(text) > MAX_TEXT or "\0" in text
    ]
    if problems:
        raise malformed(problems)
    return found


async def long_form(request: Request, limit: int) -> dict[str, str]:
    """Return every field of a form of at most `limit` bytes, as it was typed. Raises WrongMediaType or Malformed."""
    if media_type(request) != FORM:
        raise WrongMediaType(f"a form is sent as {FORM}")
    body = await read_body(request, limit)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_LONG_FIELDS)
    except ValueError:
        raise malformed([Problem("malformed", "the form cannot be read")]) from None
    return {name: text.replace("\r\n", "\n") for name, text in pairs}


async def carry_out_once(request: Request, handle: Handle[C], command: C, token: str) -> Replayed:
    """Carry out a command of a form, or return its first answer when the same form was sent twice.

    token: of the form, made when it was shown; with another command it is another form.
    """
    if not _TOKEN.fullmatch(token):
        raise malformed([Problem("missing", "the form has no token: open it again", "token")])
    cause, log = cause_of(request), door_of(request).handlers.log
    stated = msgspec.json.encode(command)
    key = f"form:{token}:{hashlib.sha256(stated).hexdigest()}"
    answer = functools.partial(
        answer_once, log, key, cause.actor, stated, lambda identified: handle(command, cause, identified)
    )
    return await anyio.to_thread.run_sync(answer, limiter=COMMANDS)


def required(fields: Mapping[str, str], name: str) -> str:
    """Return a field. Raises Malformed if it is empty."""
    if not fields[name]:
        raise malformed([Problem("missing", f"{name} is missing", name)])
    return fields[name]


async def carry_out(handle: Any, command: Any, cause: Cause) -> Receipt:
    """Carry out a command of a form. Raises its refusals."""
    receipt: Receipt = await anyio.to_thread.run_sync(lambda: handle(command, cause, unidentified), limiter=COMMANDS)
    return receipt


def _without_nul(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    return value.replace("\0", "") if isinstance(value, str) else value
