"""Projections: the position of each read model, one with its tables, and the acts that operators request."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, ParamSpec
from uuid import UUID

import anyio
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import JsonBody, view
from api.receipts import CommandReceipt, carry_out
from commands.read_models import RequestAct, WithdrawAct
from edge.admitted import Masking
from edge.command_request import CommandedWithParameters
from edge.dependencies import Reads
from edge.parameters import NO_PARAMETERS, Parameters
from queries.projections import ProjectionsView, list_projections
from queries.read_models import (
    ActPlan,
    ComparisonView,
    ReadModelView,
    get_comparison,
    get_read_model,
    plan_of,
    plan_withdrawal,
)

router = APIRouter(prefix="/projections", tags=["operations"])

P = ParamSpec("P")
ProjectionAct = Literal["rebuild", "build", "compare", "promote", "rollback", "drop"]


class ReadModelReceipt(CommandReceipt, kw_only=True):
    """An act on a read model is requested, or was before: duplicate. A projector carries it out."""

    projection: str
    act: str
    request_id: UUID


class WithdrawalReceipt(ReadModelReceipt, kw_only=True):
    """An act on a read model is no longer requested. would: in the answer of a dry run alone, the consequences."""

    would: ActPlan | None = None


class ActParameters(Parameters):
    """dry_run: answer what the act would do; request nothing."""

    dry_run: Annotated[bool, Field(description="Answer 200 with what the act would do; request nothing.")] = False


async def planned(plan: Callable[P, ActPlan], *of: P.args, **named: P.kwargs) -> Response:
    """Return the answer of a dry run: what the act would do now."""
    return JsonBody(await anyio.to_thread.run_sync(partial(plan, *of, **named)), 200)


@router.get("", summary="Read models", **openapi.query(ProjectionsView, listed=True))
def list_(reading: Reads, masking: Masking, _given: Annotated[Parameters, Query()]) -> Response:
    """List the position, lag and state of every read model."""
    return view(masking.read_models(list_projections(reading)))


@router.get("/{name}", summary="A read model", dependencies=[NO_PARAMETERS], **openapi.query(ReadModelView, 404))
def one(name: str, reading: Reads, masking: Masking) -> Response:
    """Return one read model with its tables that are not in use, and with what each act would do now."""
    return view(masking.read_model(get_read_model(reading, name)))


@router.get(
    "/{name}/diff",
    summary="The last comparison of the tables of a read model",
    dependencies=[NO_PARAMETERS],
    **openapi.query(ComparisonView, 404),
)
def diff(name: str, reading: Reads) -> Response:
    """Return the differences between the tables built and those in use; `compare` requests a comparison."""
    return view(get_comparison(reading, name))


@router.post(
    "/{name}/withdraw",
    summary="Withdraw the act that is requested",
    **openapi.command(WithdrawAct, WithdrawalReceipt, 404),
)
async def withdraw(
    name: str, request: CommandedWithParameters, reading: Reads, given: Annotated[ActParameters, Query()]
) -> Response:
    """Withdraw the act that is requested on the read model; a build under way ends after its page."""
    command = request.read(WithdrawAct, projection=name)
    if given.dry_run:
        found = await anyio.to_thread.run_sync(plan_withdrawal, reading, name)
        content = {"projection": name, "act": found.request.act, "request_id": found.request.request_id}
        return JsonBody(content | {"position": found.position, "would": found.plan}, 200)
    return await carry_out(request, request.handlers.read_models.withdraw, command, ReadModelReceipt)


@router.post(
    "/{name}/verify",
    summary="Request a verification of a read model",
    **openapi.command(RequestAct, ReadModelReceipt, 404, status=202, planned=ActPlan),
)
async def verify(
    name: str, request: CommandedWithParameters, reading: Reads, given: Annotated[ActParameters, Query()]
) -> Response:
    """Request that a projector compares the rows in use with those that follow from the log, and changes nothing.

    The figures are the `result` of the request: rows, those that differ, events that could not be applied.
    """
    return await _requested(name, "verify", request, reading, given)


@router.post(
    "/{name}/{act}",
    summary="Request an act on the tables of a read model",
    **openapi.command(RequestAct, ReadModelReceipt, 404, status=202, planned=ActPlan),
)
async def act(
    name: str,
    act: ProjectionAct,
    request: CommandedWithParameters,
    reading: Reads,
    given: Annotated[ActParameters, Query()],
) -> Response:
    """Request an act of the projector: it takes one request after the other, and continues after an interruption.

    rebuild: build the tables anew, put them in use. build, compare, promote, rollback, drop: the same in steps by hand.
    The same act, while it is open: a duplicate; another one: 409 `request_open`.
    """
    return await _requested(name, act, request, reading, given)


async def _requested(
    name: str, act: str, request: CommandedWithParameters, reading: Reads, given: ActParameters
) -> Response:
    command = request.read(RequestAct, projection=name, act=act)
    if given.dry_run:
        return await planned(plan_of, reading, name, act)
    return await carry_out(request, request.handlers.read_models.request, command, ReadModelReceipt)
