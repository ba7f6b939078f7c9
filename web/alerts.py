"""Cost alerts: the list by status, one, and the forms with which people acknowledge, snooze and dismiss it."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.alerts import AcknowledgeCostAlert, DismissCostAlert, SnoozeCostAlert
from domain.alerts.alert import ACKNOWLEDGED, DISMISSED, OPEN, RESOLVED, SNOOZED
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import principal_of
from edge.references import alert_named, process_named
from edge.scopes import READ, requires
from edge.visibility import restricted_alert
from queries.alerts import AlertFilter, CostAlertView, get_alert, list_alerts
from web.acts import UNTRIED, Act, ActForm, attempt
from web.forms import PageParameters
from web.layout import page, reader_of

HREF = "/alerts"
TABS = {
    "open": ("Open", (OPEN,)),
    "acknowledged": ("Acknowledged", (ACKNOWLEDGED,)),
    "snoozed": ("Snoozed", (SNOOZED,)),
    "over": ("Over", (DISMISSED, RESOLVED)),
}
SPANS = {"per_execution": "execution", "daily": "day", "weekly": "week"}
A_DAY = timedelta(days=1)
ACKNOWLEDGE = Act(
    "Acknowledge", "", "alert-acknowledged", lambda handlers: handlers.alerts.acknowledge, ("note",), reasoned=False
)
DISMISS = Act("Dismiss", "", "alert-dismissed", lambda handlers: handlers.alerts.dismiss, ("note",), reasoned=False)
SNOOZE = Act("Snooze", "", "alert-snoozed", lambda handlers: handlers.alerts.snooze, ("note", "until"), reasoned=False)
ACTS = {"acknowledge": ACKNOWLEDGE, "dismiss": DISMISS, "snooze": SNOOZE}

router = APIRouter(prefix=HREF)


class AlertParameters(PageParameters):
    """status: the tab. process: a name or id; empty for all."""

    status: str = "open"
    process: Annotated[str, Query(max_length=64)] = ""


class ShownAlert(msgspec.Struct, frozen=True):
    """An alert on a page. percent: the total, of the limit; bar, mark: widths of the drawing, in percent."""

    alert: CostAlertView
    span: str
    percent: int
    bar: float
    mark: float


@router.get("", **requires(READ, listed=True))
def list_(request: Request, reading: Reads, caller: Caller, given: Annotated[AlertParameters, Query()]) -> Response:
    """Return the page of alerts with one status, the latest first."""
    tab = given.status if given.status in TABS else "open"
    filter = AlertFilter(
        process_ids=[process_named(given.process)] if given.process else [],
        statuses=TABS[tab][1],
        within=caller.processes,
    )
    found = list_alerts(reading, filter, cursor=given.cursor, limit=20, min_position=given.min_position)
    return page(
        request,
        "alerts.html",
        title="Cost alerts",
        nav="Cost alerts",
        freshness=found,
        items=[shown_alert(restricted_alert(each, caller)) for each in found.items],
        next_cursor=found.next_cursor,
        given=given,
        tab=tab,
        tabs=[(word, name) for word, (name, _) in TABS.items()],
        acts=caller.may(AcknowledgeCostAlert.scope),
        tomorrow=reader_of(request).now + A_DAY,
    )


@router.get("/{alert_id}", **requires(READ))
def one(alert_id: str, request: Request, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the page of one alert."""
    return _one(request, alert_id, min_position=given.min_position)


@router.post("/{alert_id}/{act}", **requires(AcknowledgeCostAlert.scope))
async def act_on(alert_id: str, act: Literal["acknowledge", "dismiss", "snooze"], request: Request) -> Response:
    """Acknowledge, dismiss or snooze an alert, and return to its page."""

    def command(fields: Mapping[str, str]) -> AcknowledgeCostAlert | DismissCostAlert | SnoozeCostAlert:
        id = alert_named(alert_id)
        if act == "snooze":
            reader = reader_of(request)
            until = reader.instant(fields["until"], "until") if fields["until"] else reader.now + A_DAY
            return SnoozeCostAlert(id, until, fields["note"])
        kind = AcknowledgeCostAlert if act == "acknowledge" else DismissCostAlert
        return kind(id, fields["note"])

    return await attempt(request, ACTS[act], command, partial(_one, request, alert_id), f"{HREF}/{alert_id}")


def shown_alert(alert: CostAlertView) -> ShownAlert:
    """Return an alert with its drawing, in which the limit stands at 80 percent or further left."""
    limit, total, amount = (Decimal(each) for each in (alert.rule.limit, alert.after, alert.rule.amount))
    widest = max(total, limit * Decimal("1.25"))
    return ShownAlert(
        alert,
        SPANS[alert.rule.kind],
        int(total * 100 / limit),
        round(float(total * 100 / widest), 2),
        round(float(amount * 100 / widest), 2),
    )


def _one(request: Request, alert_id: str, form: ActForm = UNTRIED, *, min_position: int | None = None) -> Response:
    caller, reading = principal_of(request), door_of(request).reading
    found = restricted_alert(get_alert(reading, alert_named(alert_id), min_position=min_position), caller)
    listed = list_alerts(reading, AlertFilter(within=caller.processes), limit=1)
    return page(
        request,
        "alert.html",
        title=f"{found.process}, {SPANS[found.rule.kind]}",
        nav="Cost alerts",
        code=form.code,
        freshness=listed,
        crumbs=[("Cost alerts", HREF), (found.process, None)],
        each=shown_alert(found),
        acts=caller.may(AcknowledgeCostAlert.scope),
        tomorrow=reader_of(request).now + A_DAY,
        form=form,
    )
