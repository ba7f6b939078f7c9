"""The list of executions, with its filters in the address."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from commands.executions import CancelExecution, StartExecution
from domain.listed_values import split_values
from edge.admitted import Caller, Masking
from edge.dependencies import Reads
from edge.instants import parse_instant
from edge.parameters import LONGEST_VALUES
from edge.principal import Principal
from edge.references import END_OF_ID, batch_named, execution_named, process_named
from edge.scopes import READ, requires
from queries.execution_conditions import COSTS
from queries.execution_counts import ExecutionCount, count_executions
from queries.execution_orders import NEWEST, ORDERS
from queries.executions import AWAITED_KINDS, STATUSES, ExecutionFilter, list_executions
from web.executions.export import CSV, MOST_EXPORTED, executions_as_csv
from web.forms import PageParameters
from web.layout import page, reader_of, url_with

TRIGGERS = {"manual": "a person", "webhook": "a webhook", "schedule": "a schedule", "sub_process": "another execution"}
TRIGGER_ICONS = {"manual": "user", "webhook": "webhook", "schedule": "clock", "sub_process": "corner-down-right"}
WAITS = {
    "approval": "a person",
    "timer": "a timer",
    "child": "a called execution",
    "slot": "a free slot",
    "retry": "a retry",
    "agent": "an agent",
}
ORDER_WORDS = {
    "newest": "newest first",
    "oldest": "oldest first",
    "ended": "last ended first",
    "longest": "longest first",
    "-cost": "dearest first",
}
COST_WORDS = {"any": "with a cost", "priced": "every use priced", "unpriced": "a use without a price"}
TODAY = "today"
NO_ID = "-" * 4  # the end of no id
QUICK: tuple[tuple[str, dict[str, str]], ...] = (
    ("Everything", {}),
    ("Running", {"status": "running"}),
    ("Waiting for people", {"waiting_for": "approval"}),
    ("Failed today", {"status": "failed", "ended_from": TODAY}),
    ("Dearest today", {"from": TODAY, "order": "-cost"}),
    ("Undoing", {"status": "compensating"}),
)
"""The filters of one click, with the query parameters of each."""
FILTER_WORDS = {
    "process": "process",
    "status": "status",
    "trigger": "started by",
    "parent": "called by",
    "parent_step": "called by step",
    "version": "version",
    "batch": "of batch",
    "slot_key": "in line",
    "waiting_for": "waiting for",
    "q": "id ends with",
    "from": "started from",
    "to": "started to",
    "ended_from": "ended from",
    "ended_to": "ended to",
    "called_from": "called from",
    "called_to": "called to",
    "label": "label",
    "failure": "error",
    "failed_step": "failed at",
    "ran_step": "completed step",
    "paid_step": "step with a cost",
    "cost": "cost",
    "currency": "currency",
    "include_children": "with called executions",
}

router = APIRouter()


class ExecutionFields(PageParameters):
    """The fields of the form of filters; an empty one filters nothing."""

    process: Annotated[str, Query(max_length=200)] = ""
    status: str = ""
    trigger: str = ""
    version: Annotated[str, Query(max_length=40)] = ""
    parent: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    parent_step: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    batch: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    slot_key: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    waiting_for: str = ""
    q: Annotated[str, Query(max_length=64)] = ""
    started_from: Annotated[str, Field(alias="from", max_length=40)] = ""
    started_to: Annotated[str, Field(alias="to", max_length=40)] = ""
    ended_from: Annotated[str, Query(max_length=40)] = ""
    ended_to: Annotated[str, Query(max_length=40)] = ""
    called_from: Annotated[str, Query(max_length=40)] = ""
    called_to: Annotated[str, Query(max_length=40)] = ""
    label: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    order: Annotated[str, Query(max_length=20)] = ""
    include_children: bool = False
    failure: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    failed_step: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    ran_step: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    paid_step: Annotated[str, Query(max_length=LONGEST_VALUES)] = ""
    cost: str = ""
    currency: Annotated[str, Query(max_length=3)] = ""
    format: Annotated[str, Query(max_length=10)] = ""


@router.get("/executions", **requires(READ, listed=True))
def list_(
    request: Request, reading: Reads, caller: Caller, masking: Masking, given: Annotated[ExecutionFields, Query()]
) -> Response:
    """Return the page of executions, by default the newest first."""
    zone, sought = reader_of(request).zone, given.q.strip()
    problem = "" if re.fullmatch(END_OF_ID, sought) else "Search by the end of an id: 4 to 36 of 0-9, a-f and dashes."
    filter = ExecutionFilter(
        process_ids=[process_named(each) for each in split_values(given.process)],
        statuses=[each for each in split_values(given.status) if each in STATUSES],
        triggers=[each for each in split_values(given.trigger) if each in TRIGGERS],
        versions=[int(each) for each in split_values(given.version) if re.fullmatch("[0-9]{1,9}", each)],
        waiting_for=[given.waiting_for] if given.waiting_for in AWAITED_KINDS else [],
        started_from=day_of(given.started_from, zone),
        started_to=day_of(given.started_to, zone, after=1),
        ended_from=day_of(given.ended_from, zone),
        ended_to=day_of(given.ended_to, zone, after=1),
        called_from=day_of(given.called_from, zone),
        called_to=day_of(given.called_to, zone, after=1),
        parents=[execution_named(each) for each in split_values(given.parent)],
        parent_steps=split_values(given.parent_step),
        batches=[batch_named(each) for each in split_values(given.batch)],
        slot_keys=split_values(given.slot_key),
        labels=split_values(given.label),
        failures=split_values(given.failure),
        failed_steps=split_values(given.failed_step),
        ran_steps=split_values(given.ran_step),
        paid_steps=split_values(given.paid_step),
        cost=given.cost if given.cost in COSTS else "",
        currency=given.currency if re.fullmatch("[A-Z]{3}", given.currency) else "",
        order=given.order if given.order in ORDERS else NEWEST,
        include_children=given.include_children,
        id_ends_with=sought,
        within=caller.processes,
    )
    if problem:
        filter = msgspec.structs.replace(filter, id_ends_with=NO_ID)
    if given.format == CSV:
        exported = list_executions(reading, filter, cursor=given.cursor, limit=MOST_EXPORTED)
        return executions_as_csv(masking.summaries(exported))
    found = masking.summaries(list_executions(reading, filter, cursor=given.cursor, min_position=given.min_position))
    if sought and filter == ExecutionFilter(id_ends_with=sought, within=caller.processes) and len(found.items) == 1:
        return RedirectResponse(f"/executions/{found.items[0].execution_id}", 303)
    return page(
        request,
        "executions.html",
        title="Executions",
        nav="Executions",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
        filtered=filter != ExecutionFilter(within=caller.processes, order=filter.order),
        order=filter.order,
        orders=ORDER_WORDS.items(),
        costs=COST_WORDS.items(),
        sorted_by=ORDER_WORDS[filter.order],
        quick=_quick(request, count_executions(reading, reader_of(request).midnight, within=caller.processes)),
        exported=MOST_EXPORTED,
        chips=[
            (
                FILTER_WORDS[name],
                _shown(name, value),
                url_with(request, {name: None, "cursor": None}),
            )
            for name, value in request.query_params.items()
            if name in FILTER_WORDS and value not in ("", "false")
        ],
        statuses=STATUSES,
        triggers=TRIGGERS.items(),
        trigger_words=TRIGGERS,
        trigger_icons=TRIGGER_ICONS,
        waits=WAITS.items(),
        starts=caller.may(StartExecution.scope),
        many=_many(request, caller),
        problem=problem,
    )


def _shown(word: str, value: str) -> str:
    """Return a value of a filter for people."""
    if word == "include_children":
        return ""
    return "without a key" if (word, split_values(value)) == ("slot_key", [""]) else value


def _many(request: Request, caller: Principal) -> str:
    """Return the address of the form that acts on what the filter finds; empty for a reader who may not act."""
    stated = {word: value for word, value in request.query_params.items() if word in FILTER_WORDS and value}
    return f"/operations/batches/new?{urlencode(stated)}" if stated and caller.may(CancelExecution.scope) else ""


def _quick(
    request: Request, counts: Mapping[str, ExecutionCount]
) -> list[tuple[str, str, bool, ExecutionCount | None]]:
    """Return the filters of one click, whether each is the one of the address, and how many executions it finds."""
    reader = reader_of(request)
    today = f"{reader.now.astimezone(reader.zone):%Y-%m-%d}"
    set_now = {name: value for name, value in request.query_params.items() if value and name not in ("cursor", "done")}
    found = []
    for word, stated_by in QUICK:
        stated = {name: today if value == TODAY else value for name, value in stated_by.items()}
        href = f"/executions?{urlencode(stated)}" if stated else "/executions"
        count = None if "order" in stated else counts.get(stated.get("status", "waiting" if stated else ""))
        found.append((word, href, stated == set_now, count))
    return found


def day_of(text: str, zone: tzinfo, *, after: int = 0) -> datetime | None:
    """Return when the day `text` begins in `zone`, or one `after` days later; an instant as it is; else None."""
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=after), time(), zone)
        return parse_instant(text) if text else None
    except (ValueError, OverflowError):
        return None
