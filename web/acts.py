"""An act of a person: a form with a reason, a preview of the events that it would record, and the act itself."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.command import Command, Handle
from commands.handlers import Handlers, RehearsingHandlers
from domain.refusal import NotFound, Refusal
from edge.dependencies import door_of
from edge.principal import cause_of
from edge.rehearsals import WouldBeEvent, rehearse
from edge.statuses import status_of
from web.forms import carry_out, form_fields, required

PREVIEW = "preview"


class Act(msgspec.Struct, frozen=True):
    """An act. title: of its form and its button. explains: what follows. done: the word of the notice afterwards.

    choose: returns the handler of its command. fields: those beside the reason. danger: it ends something.
    reasoned: a reason is required.
    """

    title: str
    explains: str
    done: str
    choose: Callable[[Handlers], Handle[Any]]
    fields: tuple[str, ...] = ()
    danger: bool = False
    reasoned: bool = True


class ActForm(msgspec.Struct, frozen=True):
    """The state of a form: the texts typed, the refusal of the last try, the events that it would record."""

    fields: Mapping[str, str]
    refusal: Refusal | None = None
    would: list[WouldBeEvent] | None = None

    def typed(self, name: str) -> str:
        """Return the text typed into a field; empty before the first try."""
        return self.fields.get(name, "")

    @property
    def code(self) -> int:
        """The status of the page with the form."""
        return 200 if self.refusal is None else status_of(self.refusal)

    @property
    def problems(self) -> object:
        """The problems of single fields."""
        return getattr(self.refusal, "problems", ())


UNTRIED = ActForm({})


class ShowsForm(Protocol):
    """Returns the page of a form; it may query."""

    def __call__(self, form: ActForm) -> Response:
        """Return the page."""


async def attempt(
    request: Request, act: Act, make: Callable[[Mapping[str, str]], Command], show: ShowsForm, to: str
) -> Response:
    """Preview or carry out the act that a form states.

    make: returns the command. show: returns the page of the form, which a preview and a refusal are shown on, with
    everything typed. to: the address after success. Raises NotFound if the thing itself is not there.
    """
    fields = await form_fields(request, "reason", PREVIEW, *act.fields)
    would = None
    try:
        if act.reasoned:
            required(fields, "reason")
        command = make(fields)
        if not fields[PREVIEW]:
            receipt = await carry_out(act.choose(door_of(request).handlers), command, cause_of(request))
            more = urlencode({"min_position": receipt.position, "done": act.done})
            return RedirectResponse(f"{to}{'&' if '?' in to else '?'}{more}", 303)
        handlers = RehearsingHandlers(door_of(request).handlers)
        would = (await rehearse(request, handlers, act.choose(handlers), command)).would
        form = ActForm(fields, would=would)
    except NotFound:
        raise
    except Refusal as refusal:
        form = ActForm(fields, refusal)
    return await anyio.to_thread.run_sync(partial(show, form))
