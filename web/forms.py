"""Forms: what a browser sends when a person presses a button, and the command that follows."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import anyio
from pydantic import ConfigDict
from starlette.requests import Request

from commands.deciding import unidentified
from commands.receipt import Receipt
from domain.event import Cause
from domain.refusal import Problem
from edge.bodies import media_type, read_body
from edge.parameters import Paged
from edge.refusals import WrongMediaType, malformed
from edge.rehearsals import COMMANDS

FORM = "application/x-www-form-urlencoded"
MAX_FORM = 64 << 10
MAX_FIELDS = 100
MAX_TEXT = 2_000


class PageParameters(Paged):
    """The query parameters of a page. done: what a form has just done; parameters of others are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    done: str = ""


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


def required(fields: Mapping[str, str], name: str) -> str:
    """Return a field. Raises Malformed if it is empty."""
    if not fields[name]:
        raise malformed([Problem("missing", f"{name} is missing", name)])
    return fields[name]


async def carry_out(handle: Any, command: Any, cause: Cause) -> Receipt:
    """Carry out a command of a form. Raises its refusals."""
    receipt: Receipt = await anyio.to_thread.run_sync(lambda: handle(command, cause, unidentified), limiter=COMMANDS)
    return receipt
