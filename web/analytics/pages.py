"""The pages of analytics: of all processes, and of one."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from domain.analytics.windows import LONGEST
from domain.calendar.zones import parse_zone, read_zone
from domain.listed_values import split_values
from edge.admitted import Caller
from edge.dependencies import Reads
from edge.parameters import LONGEST_VALUES
from edge.principal import Principal
from edge.references import process_named
from edge.scopes import READ, requires
from queries.analytics.figures import FailureReason, ProcessAnswer, ProcessesAnswer
from queries.analytics.outlines import summarise_outlines
from queries.analytics.process_figures import summarise_process, summarise_processes
from queries.analytics.requests import DEFAULT_DAYS, FiguresFilter, FiguresRequest
from queries.analytics.rollups import RollupsCut, one_cut
from queries.analytics.step_figures import LONGEST_WAITING, MEASURES, MOST_EXPENSIVE, ORDERS, SLOWEST, summarise_steps
from queries.analytics.trend_figures import summarise_trends
from queries.execution_list import TRIGGERS
from queries.reading import Reading
from web.analytics import wording
from web.analytics.tables import (
    DAY_COLUMNS,
    FAILURE_COLUMNS,
    RUN_COLUMNS,
    STEP_COLUMNS,
    day_rows,
    failure_rows,
    run_rows,
    step_rows,
)
from web.csv_tables import CsvTable, download
from web.executions.list import TRIGGERS as TRIGGER_WORDS
from web.forms import PageParameters
from web.layout import page, reader_of

CSV = "csv"

router = APIRouter()


class AnalyticsFields(PageParameters):
    """The fields of the form; an empty one filters nothing, and one without a meaning has its default."""

    days: Annotated[str, Query(max_length=20)] = str(DEFAULT_DAYS)
    timezone: Annotated[str, Query(max_length=64)] = ""
    process: Annotated[str, Query(max_length=64)] = ""
    version: Annotated[str, Query(max_length=40)] = ""
    trigger: Annotated[str, Query(max_length=40)] = ""
    label: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    include_children: bool = False
    measure: Annotated[str, Query(max_length=20)] = "total"
    format: Annotated[str, Query(max_length=20)] = ""
    table: Annotated[str, Query(max_length=40)] = ""


class ShownFields(msgspec.Struct, frozen=True):
    """The fields as the page shows them."""

    days: int
    timezone: str
    process: str
    version: str
    trigger: str
    label: str
    include_children: bool
    measure: str


@router.get("/analytics", **requires(READ, listed=True))
def all_(request: Request, reading: Reads, caller: Caller, given: Annotated[AnalyticsFields, Query()]) -> Response:
    """Return the page of all processes, or one of its tables as CSV."""
    shown = _shown(request, given)
    ids = [process_named(each) for each in split_values(given.process)]
    requested = _request_of(request, caller, shown, ids)
    if given.format == CSV:
        found = partial(summarise_processes, reading, requested, min_position=given.min_position)
        return _csv(reading, requested, given, shown, found)
    with one_cut(reading, requested.filter, given.min_position) as cut:
        answer = summarise_processes(cut, requested)
        outlines = summarise_outlines(cut, requested, [each.process_id for each in answer.items])
        beside = _beside(cut, requested, shown)
    return _page(request, shown, "analytics.html", answer, title="Analytics", outlines=outlines, **beside)


@router.get("/processes/{process}/analytics", **requires(READ))
def of_process(
    process: str, request: Request, reading: Reads, caller: Caller, given: Annotated[AnalyticsFields, Query()]
) -> Response:
    """Return the page of one process, or one of its tables as CSV."""
    shown = _shown(request, given)
    requested = _request_of(request, caller, shown, [process_named(process)])
    if given.format == CSV:
        found = partial(summarise_process, reading, requested, min_position=given.min_position)
        return _csv(reading, requested, given, shown, found)
    with one_cut(reading, requested.filter, given.min_position) as cut:
        answer = summarise_process(cut, requested)
        beside = _beside(cut, requested, shown)
    return _page(
        request,
        shown,
        "process-analytics.html",
        answer,
        title=f"Analytics of {answer.process}",
        crumbs=[("Processes", "/processes"), (answer.process, f"/processes/{answer.process}"), ("Analytics", None)],
        **beside,
    )


def _beside(cut: RollupsCut, requested: FiguresRequest, shown: ShownFields) -> dict[str, Any]:
    """Return the days and the steps of a page, at the cut of its other figures."""
    steps = {order: summarise_steps(cut, requested, order, shown.measure) for order in ORDERS}
    trends = summarise_trends(cut, requested)
    named = {"slowest": steps[SLOWEST], "dearest": steps[MOST_EXPENSIVE], "waiting": steps[LONGEST_WAITING]}
    return {"trends": trends, **named}


def _page(
    request: Request,
    shown: ShownFields,
    template: str,
    found: ProcessesAnswer | ProcessAnswer,
    **frame: Any,
) -> Response:
    kept = {"days": shown.days, "timezone": shown.timezone, "trigger": shown.trigger, "label": shown.label}
    if shown.include_children:
        kept["include_children"] = "true"
    return page(
        request,
        template,
        nav="Analytics",
        freshness=found,
        found=found,
        given=shown,
        trigger_words=TRIGGER_WORDS,
        window_words=_window_words(found),
        window_query=urlencode({name: value for name, value in kept.items() if value}),
        **frame,
    )


def _csv(
    reading: Reading,
    requested: FiguresRequest,
    given: AnalyticsFields,
    shown: ShownFields,
    find: Callable[[], ProcessesAnswer | ProcessAnswer],
) -> Response:
    if given.table in ORDERS:
        steps = summarise_steps(reading, requested, given.table, shown.measure)
        return download(CsvTable(given.table, STEP_COLUMNS, step_rows([*steps.items, *steps.too_few])))
    if given.table == "trends":
        trends = summarise_trends(reading, requested)
        return download(CsvTable("trends", DAY_COLUMNS, day_rows([*trends.previous, *trends.items])))
    found = find()
    if given.table == "failures":
        reasons: list[FailureReason] = found.failures
        return download(CsvTable("failures", FAILURE_COLUMNS, failure_rows(reasons)))
    if isinstance(found, ProcessAnswer):
        rows = run_rows((each.version, each) for each in found.items)
        return download(CsvTable("versions", ("version", *RUN_COLUMNS), rows))
    return download(
        CsvTable("processes", ("process", *RUN_COLUMNS), run_rows((each.process, each) for each in found.items))
    )


def _shown(request: Request, given: AnalyticsFields) -> ShownFields:
    days = int(given.days) if given.days.isascii() and given.days.isdigit() and len(given.days) <= 9 else DEFAULT_DAYS
    timezone = given.timezone or reader_of(request).zone_name
    try:
        read_zone(timezone)
    except ValueError:
        timezone = reader_of(request).zone_name
    return ShownFields(
        min(max(days, 1), LONGEST),
        timezone,
        given.process,
        ",".join(each for each in split_values(given.version) if each.isascii() and each.isdigit() and len(each) <= 9),
        given.trigger if given.trigger in TRIGGERS else "",
        given.label,
        given.include_children,
        given.measure if given.measure in MEASURES else MEASURES[-1],
    )


def _request_of(request: Request, caller: Principal, shown: ShownFields, process_ids: list[UUID]) -> FiguresRequest:
    filter = FiguresFilter(
        tuple(process_ids),
        tuple(int(each) for each in split_values(shown.version)),
        (shown.trigger,) if shown.trigger else (),
        tuple(split_values(shown.label)),
        shown.include_children,
        caller.processes,
    )
    return FiguresRequest(reader_of(request).now, shown.days, shown.timezone, filter)


def _window_words(found: ProcessesAnswer | ProcessAnswer) -> str:
    window = found.window
    first = wording.day_name(window.begin.astimezone(parse_zone(window.timezone)).date())
    days = "1 complete day" if window.days == 1 else f"{window.days} complete days"
    return (
        f"{first} to today, by the end of executions: {days} and today so far, in {window.timezone}. Changes compare "
        f"complete days with as many before. Up to event {found.as_of_position:,}."
    )
