"""The overview: what needs a person, and what runs."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.agents import RegisterAgent
from commands.alerts import AcknowledgeCostAlert
from commands.processes import DraftProcess
from commands.repairs import RetryExecution
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, door_of
from edge.scopes import READ, requires
from edge.visibility import restricted_alert
from queries.analytics.usual import usual_durations
from queries.exchange import exchange
from queries.latest_events import latest_events
from queries.processes import ProcessFilter, list_processes
from queries.under_way import MOST_UNDER_WAY, find_work_due
from web.alerts import shown_alert
from web.failures import group_failures
from web.layout import COUNTED, page, reader_of
from web.monitored import OverviewParameters, monitored_part
from web.overview_lists import SHOWN, read_lists
from web.schedules.marks import FLAGS
from web.today import MONTHS, WEEKDAYS, compared, ended_today, weekday

# A timer that is less late than this is being fired.
TOLERATED_SECONDS = 5.0
NEXT_RUNS = 5

router = APIRouter()


@router.get("/", **requires(READ, listed=True))
def overview(
    request: Request,
    reading: Reads,
    caller: Caller,
    masking: Masking,
    given: Annotated[OverviewParameters, Query()],
) -> Response:
    """Return the page with what needs a person, the most urgent first."""
    reader = reader_of(request)
    lists = read_lists(reading, reader, caller, given)
    masking.foresee(
        [
            each.execution_id
            for found in (lists.approvals, lists.failed, lists.running, lists.aside)
            for each in found.items
        ]
        + [each.stream for each in lists.letters.items]
    )
    approvals = masking.approvals(lists.approvals)
    failed, running = masking.summaries(lists.failed), masking.summaries(lists.running)
    aside, letters = masking.set_aside(lists.aside).items, masking.dead_letters(lists.letters).items
    failures = group_failures(failed.items)[:SHOWN]
    late = [each for each in lists.timers.items if each.overdue_seconds > TOLERATED_SECONDS]
    since = reader.now - door_of(request).handlers.overdue_after
    missed = [each for each in lists.schedules.next if each.next_run is not None and each.next_run < since]
    expected = [each for each in lists.schedules.next if not each.process_paused]
    alerts = [shown_alert(restricted_alert(each, caller)) for each in lists.alerts.items]
    with exchange(reading) as together:
        latest = together.add(latest_events([each.execution_id for each in running.items]))
        usual = together.add(usual_durations({each.process_id for each in running.items}, reader.now))
    needs = (
        approvals.items,
        failures,
        late,
        missed,
        aside,
        letters,
        alerts,
        lists.schedules.failing,
        [1] if lists.unpriced else [],
    )
    waiting, more = sum(map(len, needs)), any(len(each) == SHOWN for each in needs)
    return page(
        request,
        "overview.html",
        title="Overview",
        nav="Overview",
        freshness=running,
        today=lists.today,
        day=_day(reader.now_there),
        compared=compared,
        weekday=weekday,
        ended_today=ended_today,
        under_way=lists.under_way,
        most_under_way=MOST_UNDER_WAY,
        due=None if caller.processes else find_work_due(reading),
        first=not running.items and not list_processes(reading, ProcessFilter(within=caller.processes), limit=1).items,
        alerts=alerts,
        failing=lists.schedules.failing,
        unpriced=lists.unpriced,
        counted=COUNTED,
        acknowledges=caller.may(AcknowledgeCostAlert.scope),
        retries=caller.may(RetryExecution.scope),
        registers=caller.may(RegisterAgent.scope),
        designs=caller.may(DraftProcess.scope),
        approvals=approvals.items,
        failures=failures,
        more_failed=failed.next_cursor is not None or sum(each.number for each in failures) < len(failed.items),
        overdue=late,
        missed=missed,
        aside=aside,
        next_runs=[each for each in expected if each.next_run is not None and each not in missed][:NEXT_RUNS],
        letters=letters,
        monitored=None if lists.monitored is None else monitored_part(lists.monitored, caller, given),
        flags=FLAGS,
        most=SHOWN,
        running=running.items,
        latest=latest.view(),
        usual=usual.unless_built() or {},
        summary=_summary(waiting, more),
    )


def _day(now: datetime) -> str:
    return f"{WEEKDAYS[now.weekday()]}, {now.day} {MONTHS[now.month - 1]}"


def _summary(waiting: int, more: bool) -> str:
    if waiting < 2:
        return "One thing waits for you." if waiting else ""
    return f"{'More than ' if more else ''}{waiting} things wait for you."
