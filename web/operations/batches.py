"""Acts on many executions: the form that freezes what a filter finds, one batch with its progress, the list."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import partial
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.batches import FreezeBatch, RunBatch, StopBatch
from domain.agents.agent import ACTIVE
from domain.refusal import Refusal
from edge.admitted import Caller, Masking
from edge.batches import with_list
from edge.dependencies import Reads, door_of
from edge.principal import Principal, cause_of, principal_of
from edge.references import batch_named
from edge.scopes import READ, requires
from queries.agents import AgentFilter, list_agents
from queries.batches import get_batch, list_batches
from queries.executions import ExecutionFilter, list_executions
from queries.paging import MAX_LIMIT
from web.acts import UNTRIED, ActForm
from web.executions.list import FILTER_WORDS, day_of
from web.forms import PageParameters, carry_out, form_fields, required
from web.layout import reader_of
from web.operations.tabs import tab

HREF = "/operations/batches"
ACTS = {
    "cancel": ("Cancel", "They end, and those that they called. Completed steps with a compensation are undone."),
    "retry": ("Retry", "They go on from their failed steps, or the step named begins again; in new attempts."),
    "skip": ("Skip a step", "They go on without the step; steps that use its output get none."),
    "reassign": ("Reassign a step", "Another agent gets the step of each, in a new attempt."),
}
"""The button of each act, and what follows."""
_DAYS = {"from": 0, "to": 1, "ended_from": 0, "ended_to": 1, "called_from": 0, "called_to": 1}
"""The words that the list takes as days, and how many days later the instant is that they mean."""

router = APIRouter(prefix=HREF)


@router.get("", **requires(READ, listed=True))
def list_(request: Request, reading: Reads, caller: Caller, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the page of batches, the newest first."""
    found = list_batches(reading, within=caller.processes, cursor=given.cursor, min_position=given.min_position)
    return tab(
        request,
        "batches.html",
        name="Batches",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
        words=ACTS,
    )


@router.get("/new", **requires(FreezeBatch.scope, listed=True))
def new(request: Request) -> Response:
    """Return the form that freezes what the filter in the address finds; its words are those of the list."""
    return _form(request, request.query_params, UNTRIED)


@router.post("", **requires(FreezeBatch.scope, listed=True))
async def freeze(request: Request) -> Response:
    """Freeze the list, and go to the page of the batch; a refusal is shown with everything typed."""
    fields = await form_fields(request, "act", "step", "agent", *FILTER_WORDS)
    door, caller = door_of(request), principal_of(request)
    words = {word: value for word, value in fields.items() if word in FILTER_WORDS}
    filter = filter_of(words, reader_of(request).zone)
    try:
        command = FreezeBatch(required(fields, "act"), filter, fields["step"], fields["agent"] or None)
        listed = partial(with_list, door.reading, command, caller.processes, door.max_batch)
        command = await anyio.to_thread.run_sync(listed)
        receipt = await carry_out(door.handlers.batches.freeze, command, cause_of(request))
    except Refusal as refusal:
        return await anyio.to_thread.run_sync(partial(_form, request, words, ActForm(fields, refusal)))
    return RedirectResponse(f"{HREF}/{receipt.facts['batch_id']}?min_position={receipt.position}", 303)


@router.get("/{batch_id}", **requires(READ))
def one(
    batch_id: str,
    request: Request,
    reading: Reads,
    caller: Caller,
    masking: Masking,
    given: Annotated[PageParameters, Query()],
) -> Response:
    """Return the page of a batch: its list and the form that runs it, or how far it is."""
    found = get_batch(reading, batch_named(batch_id), min_position=given.min_position)
    word = ACTS[found.act][0]
    return tab(
        request,
        "batch.html",
        name="Batches",
        title=f"{word}: {found.count:,} {'execution' if found.count == 1 else 'executions'}",
        crumbs=[("Batches", HREF), (str(found.batch_id)[-8:], None)],
        freshness=found,
        found=found,
        word=word,
        explains=ACTS[found.act][1],
        filter=_chips(found.words),
        first=masking.summaries(list_executions(reading, _first(found.first_executions, caller))).items,
        acts=caller.may(RunBatch.scope),
    )


@router.post("/{batch_id}/run", **requires(RunBatch.scope))
async def run(batch_id: str, request: Request) -> Response:
    """Let workers act on the list, and return to the page of the batch."""
    fields = await form_fields(request, "reason")
    command = RunBatch(batch_named(batch_id), required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.batches.run, command, cause_of(request))
    return RedirectResponse(f"{HREF}/{command.batch_id}?min_position={receipt.position}&done=batch-run", 303)


@router.post("/{batch_id}/stop", **requires(StopBatch.scope))
async def stop(batch_id: str, request: Request) -> Response:
    """Leave the rest of the list alone, and return to the page of the batch."""
    fields = await form_fields(request, "reason")
    command = StopBatch(batch_named(batch_id), required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.batches.stop, command, cause_of(request))
    return RedirectResponse(f"{HREF}/{command.batch_id}?min_position={receipt.position}&done=batch-stopped", 303)


def filter_of(words: Mapping[str, str], zone: tzinfo) -> dict[str, str]:
    """Return the words of the list's address as a batch takes them: days as instants; others as they are."""
    found: dict[str, str] = {}
    for word, value in words.items():
        if not value or word not in FILTER_WORDS or (word == "include_children" and value == "false"):
            continue
        at: datetime | None = day_of(value, zone, after=_DAYS[word]) if word in _DAYS else None
        found[word] = value if at is None else at.isoformat()
    return found


def _form(request: Request, words: Mapping[str, str], form: ActForm) -> Response:
    stated = {word: value for word, value in words.items() if word in FILTER_WORDS and value not in ("", "false")}
    agents = list_agents(door_of(request).reading, AgentFilter(statuses=[ACTIVE]), limit=MAX_LIMIT)
    return tab(
        request,
        "batch-new.html",
        name="Batches",
        title="Act on many",
        crumbs=[("Batches", HREF), ("Act on many", None)],
        code=form.code,
        form=form,
        acts=ACTS,
        stated=stated,
        filter=_chips(stated),
        agents=[each.name for each in agents.items],
        most=door_of(request).max_batch,
    )


def _chips(words: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return each word of a filter for people, with its values."""
    found = []
    for word, value in words.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        found.append((FILTER_WORDS.get(word, word), "" if word == "include_children" else text))
    return found


def _first(ids: list[UUID], caller: Principal) -> ExecutionFilter:
    return ExecutionFilter(ids=ids, within=caller.processes)
