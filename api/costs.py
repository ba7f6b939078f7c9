"""Costs: of one execution; of one process; uses without a price; prices applied to costs of before."""

from functools import partial
from typing import Annotated, Any

import anyio
import msgspec
from fastapi import APIRouter, Query
from msgspec import Meta
from starlette.responses import Response

from api import openapi
from api.answers import JsonBody, view
from api.receipts import CommandReceipt, carry_out
from commands.command import Reason
from commands.costs import NameOfModel, RepriceCosts
from domain.costs.prices import RepricedPeriod
from edge.admitted import Caller
from edge.command_request import Commanded
from edge.dependencies import Reads, TheDoor, Versions
from edge.parameters import Fresh, InstantParameter
from edge.principal import cause_of
from edge.references import execution_named, process_named
from edge.rehearsals import COMMANDS
from edge.visibility import restricted_costs
from queries.amounts import Amount
from queries.costs import UnpricedUses, find_uses, list_unpriced
from queries.execution_costs import ExecutionCosts, get_execution_costs
from queries.process_costs import ProcessCosts, get_process_costs

router = APIRouter(tags=["costs"])

# `from` is a word of Python, so the class cannot be written with it.
RepriceBody = msgspec.defstruct(
    "RepriceBody",
    [
        ("model", NameOfModel),
        ("from", Annotated[InstantParameter, Meta(description="The first instant.")]),
        ("to", InstantParameter),
        ("reason", Reason),
        ("provider", Annotated[str, Meta(max_length=200)] | None, None),
        ("dry_run", bool, False),
    ],
    namespace={"__doc__": "Calls of a model that began from `from` until `to`. dry_run: record nothing."},
    module=__name__,
    frozen=True,
    forbid_unknown_fields=True,
)


class RepricedCost(msgspec.Struct, frozen=True):
    """A cost that is another one by the prices of now. before: null: it had no price."""

    execution_id: str
    step: str
    attempt: int
    recorded: int
    before: Amount | None
    after: Amount | None
    price_source: str


class RepriceReceipt(CommandReceipt, kw_only=True):
    """The costs that differ, of those found: the first 200, and sums of all. complete: the answer is about all uses.

    corrected: their number. newly_priced: those that had no price. old, new, difference: an amount a currency.
    """

    corrected: int
    newly_priced: int
    old: list[Amount]
    new: list[Amount]
    difference: list[Amount]
    items: list[RepricedCost]
    complete: bool


@router.get(
    "/executions/{execution_id}/costs", summary="What an execution cost", **openapi.query(ExecutionCosts, 404, 410)
)
def of_execution(
    execution_id: str, reading: Reads, definitions: Versions, given: Annotated[Fresh, Query()]
) -> Response:
    """Return the cost by step and attempt. `total.unpriced` uses have no price: they are in no sum."""
    id = execution_named(execution_id)
    return view(get_execution_costs(reading, definitions, id, min_position=given.min_position))


@router.get("/processes/{process}/costs", summary="What a process spends", **openapi.query(ProcessCosts, 404))
def of_process(
    process: str, reading: Reads, definitions: Versions, door: TheDoor, caller: Caller, given: Annotated[Fresh, Query()]
) -> Response:
    """Return its costs by day and by step, against its limits, and how good the estimates of its steps were."""
    found = get_process_costs(
        reading, definitions, process_named(process), door.clock.now(), min_position=given.min_position
    )
    return view(restricted_costs(found, caller))


@router.get("/costs/unpriced", summary="Uses without a price", **openapi.query(UnpricedUses))
def unpriced(reading: Reads, given: Annotated[Fresh, Query()]) -> Response:
    """Return the uses that no price applies to, by model and reason."""
    return view(list_unpriced(reading, min_position=given.min_position))


@router.post(
    "/costs/reprice", summary="Price costs anew", **openapi.command(RepriceCosts, RepriceReceipt, body=RepriceBody)
)
async def reprice(request: Commanded) -> Response:
    """Correct the costs of a model's calls by the prices of now, at most 1,000 at once. Reported costs stand.

    A dry run works out the same answer and records nothing.
    """
    given: Any = request.read(RepriceBody)
    period = RepricedPeriod(given.provider or "", given.model, getattr(given, "from"), given.to)
    find = partial(find_uses, request.door.reading, period.model, period.begin, period.end, given.provider)
    found = await anyio.to_thread.run_sync(find, limiter=COMMANDS)
    command = RepriceCosts(period, found.uses, given.reason, given.dry_run, found.complete)
    handle = request.handlers.costs.reprice
    if not command.dry_run:
        return await carry_out(request, handle, command, RepriceReceipt)
    receipt = await anyio.to_thread.run_sync(partial(handle, command, cause_of(request.request)), limiter=COMMANDS)
    return JsonBody({**receipt.facts, "complete": found.complete, "position": receipt.position}, 200)
