"""The costs of a process: limits, days, dearest steps; a limit tried on the past, and put in force."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

import anyio
import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.cost_thresholds import SetCostThresholds, WrittenLevel, terms_written
from commands.processes import ReviseProcess
from domain.language.editing.changes import EditRefused
from domain.language.editing.limits import WrittenLimit, limited
from domain.refusal import Problem
from edge.admitted import Caller
from edge.dependencies import Reads, Versions, door_of
from edge.principal import cause_of
from edge.proposed_limits import simulated, with_levels
from edge.references import process_named
from edge.refusals import malformed
from edge.rehearsals import COMMANDS
from edge.scopes import READ, requires
from edge.visibility import restricted_costs
from queries.process_costs import ProcessCosts, SpentOfLimit, get_process_costs
from queries.processes import ProcessDetail, get_process
from queries.reading import Reading
from queries.thresholds import ProposedThreshold, Simulation, ThresholdsView, get_thresholds
from web.alerts import SPANS
from web.drawings.windows import WindowsDrawing, draw_windows
from web.forms import PageParameters, carry_out, form_fields
from web.layout import page

DAYS = 30
MOST_DRAWN = 3

router = APIRouter(prefix="/processes/{process}/costs")
WRITES = requires(SetCostThresholds.scope)


class LimitParameters(PageParameters):
    """A limit to try on the past; nothing is tried without an amount."""

    kind: Annotated[str, Query(max_length=20)] = "daily"
    amount: Annotated[str, Query(max_length=60)] = ""
    currency: Annotated[str, Query(max_length=3)] = ""


class Tried(msgspec.Struct, frozen=True):
    """A limit that was tried. problem: why it could not be, in words."""

    kind: str
    amount: str
    currency: str
    found: Simulation | None = None
    problem: str = ""


@router.get("", **requires(READ))
def costs(
    process: str,
    request: Request,
    reading: Reads,
    definitions: Versions,
    caller: Caller,
    given: Annotated[LimitParameters, Query()],
) -> Response:
    """Return the page of the costs of a process."""
    id, now = process_named(process), door_of(request).clock.now()
    found = get_process(reading, id, min_position=given.min_position)
    spent = restricted_costs(get_process_costs(reading, definitions, id, now, min_position=given.min_position), caller)
    limits = get_thresholds(reading, id)
    tried = _tried(reading, id, given, limits, request)
    return page(
        request,
        "process-costs.html",
        title=f"Costs of {found.name}",
        nav="Processes",
        freshness=spent,
        crumbs=[("Processes", "/processes"), (found.name, f"/processes/{found.name}"), ("Costs", None)],
        code=422 if tried.problem else 200,
        found=found,
        spent=spent,
        limits=limits,
        spans=SPANS,
        windows=windows_of(spent.limits),
        charts=_charts(spent, limits),
        tried=tried,
        drawn=_drawn(tried, limits),
        given=given,
        writes=caller.may(SetCostThresholds.scope) and found.status != "archived",
    )


@router.post("/limit", **WRITES)
async def set_limit(process: str, request: Request, reading: Reads) -> Response:
    """Put a limit in force by command, in place of those of its kind, or write it into the draft."""
    fields = await form_fields(request, "kind", "amount", "currency", "warn_at", "on_alert", "act")
    id, kind = process_named(process), fields["kind"]
    if kind not in SPANS:
        raise malformed([Problem("invalid_value", f"one of {', '.join(SPANS)}", "kind")])
    level = WrittenLevel(fields["amount"], fields["currency"], _part(fields["warn_at"]), fields["on_alert"] or None)
    limits = await anyio.to_thread.run_sync(get_thresholds, reading, id)
    command = with_levels(limits, kind, [level])
    terms_written(command)  # a draft takes what the command takes
    found = await anyio.to_thread.run_sync(get_process, reading, id)
    if fields["act"] == "draft":
        return await _draft(request, found, kind, level)
    receipt = await carry_out(door_of(request).handlers.cost_thresholds.set, command, cause_of(request))
    return RedirectResponse(f"/processes/{found.name}/costs?done=threshold-set&min_position={receipt.position}", 303)


async def _draft(request: Request, found: ProcessDetail, kind: str, level: WrittenLevel) -> Response:
    """Write the limit into the text of the draft, and open the editor on it."""
    written: WrittenLimit = {
        name: value for name, value in msgspec.structs.asdict(level).items() if value not in (None, "")
    }
    try:
        text = await anyio.to_thread.run_sync(limited, found.yaml or "", kind, written, limiter=COMMANDS)
    except EditRefused as refused:
        raise malformed(
            [Problem("edit_refused", f"the text takes no limit here: {refused.message}", "amount")]
        ) from None
    command = ReviseProcess(found.process_id, text, found.revision)
    receipt = await carry_out(door_of(request).handlers.processes.revise, command, cause_of(request))
    return RedirectResponse(f"/processes/{found.name}/edit?done=limit-drafted&min_position={receipt.position}", 303)


def _part(percent: str) -> float | None:
    """Return the fraction that a percentage states."""
    if not percent:
        return None
    try:
        found = Decimal(percent)
    except InvalidOperation:
        found = Decimal(0)
    if not (found.is_finite() and 0 < found <= 100):
        raise malformed([Problem("invalid_value", "a warning is at a percentage such as 80", "warn_at")])
    return float(found / 100)


def _tried(reading: Reading, id: UUID, given: LimitParameters, limits: ThresholdsView, request: Request) -> Tried:
    kind = given.kind if given.kind in SPANS else "daily"
    of_kind = getattr(limits, kind)
    tried = Tried(kind, given.amount, given.currency or (of_kind[0].currency if of_kind else "USD"))
    if not given.amount:
        return tried
    try:
        proposed = ProposedThreshold(
            process_id=id,
            kind=kind,
            amount=Decimal(given.amount),
            currency=tried.currency,
            timezone=limits.timezone,
            week_starts=limits.week_starts,
            days=DAYS,
        )
        return msgspec.structs.replace(tried, found=simulated(reading, proposed, door_of(request).clock.now()))
    except InvalidOperation:
        return msgspec.structs.replace(tried, problem=f"{given.amount!r} is not a decimal number")
    except ValueError as error:
        return msgspec.structs.replace(tried, problem=str(error))


def _drawn(tried: Tried, limits: ThresholdsView) -> WindowsDrawing | None:
    """Return the past windows with the limit that is tried, beside those in force."""
    if tried.found is None or not tried.found.totals:
        return None
    in_force = [each.amount for each in getattr(limits, tried.kind) if each.currency == tried.currency]
    totals = [(getattr(each.window, "from"), each.total) for each in tried.found.totals]
    return draw_windows(totals, in_force, tried.amount)


def _charts(spent: ProcessCosts, limits: ThresholdsView) -> list[tuple[str, WindowsDrawing]]:
    """Return the days, by currency, against the limits of a day."""
    currencies = sorted({each.currency for day in spent.days for each in day.spent})[:MOST_DRAWN]
    charts: list[tuple[str, WindowsDrawing]] = []
    for currency in currencies:
        in_force = [each.amount for each in limits.daily if each.currency == currency]
        totals = [
            (getattr(day.window, "from"), next((each.amount for each in day.spent if each.currency == currency), "0"))
            for day in spent.days
        ]
        charts.append((currency, draw_windows(totals, in_force)))
    return charts


def windows_of(limits: Sequence[SpentOfLimit]) -> dict[str, tuple[SpentOfLimit, list[int]]]:
    """Return, by kind, the present window and the percentage of each of its levels."""
    return {
        each.kind: (each, [min(int(Decimal(each.total) * 100 / Decimal(level.amount)), 999) for level in each.levels])
        for each in limits
    }
