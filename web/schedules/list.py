"""The fleet of schedules by next run: a lane for each process, and the ledger strip of each schedule."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import Response

from commands.schedules import PauseSchedule
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.references import process_named
from edge.scopes import READ, requires
from queries.amounts import Amount
from queries.occurrences import ledger_strips
from queries.schedules import (
    MOST_RUNS,
    MOST_RUNS_OF_ONE,
    STATUSES,
    ComingRun,
    ScheduleFilter,
    coming_runs,
    list_schedules,
)
from web.drawings.lanes import Lane, LaneRun, lanes
from web.drawings.ledger import WORDS, LedgerMark
from web.drawings.timeline import Scale
from web.forms import PageParameters
from web.layout import Reader, page, reader_of
from web.schedules.marks import COMING, FLAGS, PAST, coming, past, said

HREF = "/schedules"
SPANS = {"day": timedelta(days=1), "week": timedelta(days=7)}
MOST_LANES = 12

router = APIRouter(prefix=HREF)


class ScheduleFields(PageParameters):
    """The fields of the form of filters; an empty one filters nothing. span: of the lanes."""

    status: str = ""
    process: Annotated[str, Query(max_length=64)] = ""
    span: Literal["day", "week"] = "day"


class FleetRow(msgspec.Struct, frozen=True):
    """A lane as a row of the table beside the drawing. count: of its runs; more: of at least one there are more."""

    process: str
    count: int
    more: bool
    first: datetime
    flags: list[str]


class Fleet(msgspec.Struct, frozen=True):
    """The coming runs of the fleet. left_out: processes that have no lane.

    cost: of all runs, if each costs what is usual for its process. without_cost: runs of which no usual cost is known.
    """

    picture: Markup
    rows: list[FleetRow]
    runs: int
    truncated: bool
    left_out: int
    cost: list[Amount]
    without_cost: int


@router.get("", **requires(READ, listed=True))
def list_(request: Request, reading: Reads, caller: Caller, given: Annotated[ScheduleFields, Query()]) -> Response:
    """Return the page of schedules, the one that runs next first."""
    chosen = [process_named(given.process)] if given.process else []
    filter = ScheduleFilter(
        process_ids=chosen,
        statuses=[given.status] if given.status in STATUSES else [],
        within=caller.processes,
    )
    found = list_schedules(reading, filter, cursor=given.cursor, min_position=given.min_position)
    strips = ledger_strips(reading, [each.schedule_id for each in found.items], PAST)
    reader, late = reader_of(request), door_of(request).handlers.overdue_after
    now, end = reader.now, reader.now + SPANS[given.span]
    fleet = coming_runs(reading, now, end, ScheduleFilter(process_ids=chosen, within=caller.processes))
    kept = {name: text for name, text in given if name in ("process", "status", "span") and text not in ("", "day")}
    return page(
        request,
        "schedules.html",
        title="Schedules",
        nav="Schedules",
        freshness=found,
        items=[
            (each, [*past(strips[each.schedule_id], reader.clock, late), *coming(each.coming[:COMING], reader.clock)])
            for each in found.items
        ],
        next_cursor=found.next_cursor,
        given=given,
        statuses=STATUSES,
        filtered=filter != ScheduleFilter(within=caller.processes),
        fleet=_fleet(fleet.items, fleet.truncated, Scale(now, end), reader),
        acts=caller.may(PauseSchedule.scope),
        back=urlencode({**kept, "to": "list"}),
        flags=FLAGS,
        marked=list(WORDS.items()),
        mark_of=LedgerMark,
        paused=any(each.status == "paused" for each in found.items),
    )


def _fleet(runs: Sequence[ComingRun], truncated: bool, scale: Scale, reader: Reader) -> Fleet | None:
    """Return the lanes of some runs, those of the processes that run first; None without runs."""
    if not runs:
        return None
    by_process: dict[str, list[ComingRun]] = {}
    by_schedule: dict[UUID, list[ComingRun]] = {}
    for run in runs:
        by_process.setdefault(run.process, []).append(run)
        by_schedule.setdefault(run.schedule_id, []).append(run)
    # Where the runs of a schedule, or all of them, were cut off.
    cut = [(its[0].process, its[-1].at) for its in by_schedule.values() if len(its) >= MOST_RUNS_OF_ONE]
    everywhere = [runs[-1].at] if len(runs) >= MOST_RUNS else []
    rows, drawn = list[FleetRow](), list[Lane]()
    for process, its in list(by_process.items())[:MOST_LANES]:
        since = min([*everywhere, *(at for name, at in cut if name == process)], default=None)
        flags = dict.fromkeys(flag for run in its for flag in run.flags)
        rows.append(FleetRow(process, len(its), since is not None, its[0].at, said(flags)))
        marks = [LaneRun(run.at, ", ".join((reader.clock(run.at), *said(run.flags))), bool(run.flags)) for run in its]
        drawn.append(Lane(process, marks, since))
    label = "Expected runs: " + ", ".join(f"{row.process} {row.count}{'+' if row.more else ''}" for row in rows)
    picture = lanes(drawn, scale, reader.zone, label)
    truncated = truncated or any(row.more for row in rows)
    return Fleet(picture, rows, len(runs), truncated, len(by_process) - len(rows), *_costs(runs))


def _costs(runs: Sequence[ComingRun]) -> tuple[list[Amount], int]:
    """Return the usual cost of all runs, an amount a currency, and of how many runs it is unknown."""
    sums: dict[str, Decimal] = {}
    priced = [run.usual_cost for run in runs if run.usual_cost is not None]
    for amount in chain.from_iterable(priced):
        sums[amount.currency] = sums.get(amount.currency, Decimal(0)) + Decimal(amount.amount)
    return [Amount(f"{sums[currency]:f}", currency) for currency in sorted(sums)], len(runs) - len(priced)
