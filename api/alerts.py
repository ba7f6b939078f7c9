"""Cost alerts: the list, one, what people do with it; thresholds of a process, and what one would have raised."""

from decimal import Decimal
from functools import partial
from typing import Annotated
from uuid import UUID

import anyio
import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import RehearsedReceipt, carry_out
from commands.alerts import (
    AcknowledgeCostAlert,
    DismissCostAlert,
    SnoozeCostAlert,
)
from domain.alerts.alert import STATUSES
from domain.calendar.times import WEEKDAYS
from domain.calendar.zones import read_zone
from domain.money import parse_money
from domain.refusal import Malformed, Problem
from edge.admitted import Caller
from edge.command_request import Commanded, CommandedOrRehearsed
from edge.dependencies import Reads, TheDoor
from edge.parameters import SEVERAL, Fresh, Paged, ProcessReferences, Values, one_of
from edge.references import alert_named, process_named
from edge.rehearsals import COMMANDS
from edge.visibility import require_visible_process, restricted_alert
from queries.alerts import AlertFilter, CostAlertView, OpenAlerts, count_open_alerts, get_alert, list_alerts
from queries.paging import Page
from queries.thresholds import (
    LONGEST_DAYS,
    ProposedThreshold,
    Simulation,
    simulate_threshold,
)

router = APIRouter(tags=["costs"])


class CostAlertReceipt(RehearsedReceipt, kw_only=True):
    """The alert has the status now. duplicate: it had it before."""

    alert_id: UUID


class AlertFilters(Paged):
    """Filters of the alerts."""

    process: ProcessReferences = []
    status: Annotated[Values, one_of(STATUSES), Field(description=SEVERAL)] = []


class SimulationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A threshold to try out. process: its name or id. timezone: its midnights begin windows."""

    process: str
    kind: Annotated[str, msgspec.Meta(pattern="^(per_execution|daily|weekly)$")]
    amount: str
    currency: str
    timezone: str = "UTC"
    week_starts: Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(WEEKDAYS)})$")] = "monday"
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)] = 30


@router.get("/cost-alerts", summary="List cost alerts", **openapi.query(Page[CostAlertView], listed=True))
def list_(reading: Reads, caller: Caller, filters: Annotated[AlertFilters, Query()]) -> Response:
    """List cost alerts, the latest first."""
    filter = AlertFilter(
        process_ids=[process_named(each) for each in filters.process], statuses=filters.status, within=caller.processes
    )
    found = list_alerts(reading, filter, **filters.page)
    return view(msgspec.structs.replace(found, items=[restricted_alert(each, caller) for each in found.items]))


@router.get("/cost-alerts/count", summary="Number of open cost alerts", **openapi.query(OpenAlerts, listed=True))
def count(reading: Reads, caller: Caller, given: Annotated[Fresh, Query()]) -> Response:
    """Count the open alerts, at most 1,000."""
    return view(OpenAlerts(count_open_alerts(reading, within=caller.processes, min_position=given.min_position)))


@router.post(
    "/cost-alerts/simulate",
    summary="Simulate a cost threshold",
    **openapi.query(Simulation, 404, 413, 415, 422, body=SimulationRequest, listed=True),
)
async def simulate(reading: Reads, door: TheDoor, caller: Caller, request: Commanded) -> Response:
    """List the alerts that a threshold would have raised over the last days; raise none."""
    proposed = proposed_threshold(request.read(SimulationRequest))
    await require_visible_process(door, caller, proposed.process_id)
    run = partial(simulate_threshold, reading, proposed, door.clock.now())
    return view(await anyio.to_thread.run_sync(run, limiter=COMMANDS))


@router.get("/cost-alerts/{alert_id}", summary="One cost alert", **openapi.query(CostAlertView, 404, listed=True))
def get(alert_id: str, reading: Reads, caller: Caller, given: Annotated[Fresh, Query()]) -> Response:
    """Return the alert, with the event that raised it and what its total went on."""
    found = get_alert(reading, alert_named(alert_id), min_position=given.min_position)
    return view(restricted_alert(found, caller))


@router.post(
    "/cost-alerts/{alert_id}/acknowledge",
    summary="Acknowledge a cost alert",
    **openapi.command(AcknowledgeCostAlert, CostAlertReceipt, 404, rehearsed=True),
)
async def acknowledge(alert_id: str, request: CommandedOrRehearsed) -> Response:
    """Note that a user has seen the alert."""
    command = request.read(AcknowledgeCostAlert, alert_id=alert_id)
    return await carry_out(request, request.handlers.alerts.acknowledge, command, CostAlertReceipt)


@router.post(
    "/cost-alerts/{alert_id}/dismiss",
    summary="Dismiss a cost alert",
    **openapi.command(DismissCostAlert, CostAlertReceipt, 404, rehearsed=True),
)
async def dismiss(alert_id: str, request: CommandedOrRehearsed) -> Response:
    """End the alert; its window, or its execution, raises no other one at this level."""
    command = request.read(DismissCostAlert, alert_id=alert_id)
    return await carry_out(request, request.handlers.alerts.dismiss, command, CostAlertReceipt)


@router.post(
    "/cost-alerts/{alert_id}/snooze",
    summary="Snooze a cost alert",
    **openapi.command(SnoozeCostAlert, CostAlertReceipt, 404, rehearsed=True),
)
async def snooze(alert_id: str, request: CommandedOrRehearsed) -> Response:
    """Let the alert be open again at an instant."""
    command = request.read(SnoozeCostAlert, alert_id=alert_id)
    return await carry_out(request, request.handlers.alerts.snooze, command, CostAlertReceipt)


def proposed_threshold(given: SimulationRequest) -> ProposedThreshold:
    """Return the threshold that a request proposes. Raises Malformed with every problem, or NotFound."""
    problems: list[Problem] = []
    amount = Decimal(1)
    try:
        amount = parse_money(given.amount, given.currency).amount
    except ValueError as error:
        problems.append(Problem("invalid_amount", str(error), "amount"))
    try:
        read_zone(given.timezone)
    except ValueError as error:
        problems.append(Problem("unknown_timezone", str(error), "timezone"))
    if amount <= 0:
        problems.append(Problem("invalid_amount", "an amount here is more than nothing", "amount"))
    if problems:
        raise Malformed(problems[0].message, problems)
    return ProposedThreshold(
        process_id=process_named(given.process),
        kind=given.kind,
        amount=amount,
        currency=given.currency,
        timezone=given.timezone,
        week_starts=given.week_starts,
        days=given.days,
    )
