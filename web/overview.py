"""The overview: what needs a person, and what runs."""

from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.agents import RegisterAgent
from commands.alerts import AcknowledgeCostAlert
from commands.processes import DraftProcess
from commands.repairs import RetryExecution
from domain.alerts.alert import OPEN
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, door_of
from edge.scopes import READ, requires
from edge.visibility import restricted_alert
from queries.alerts import AlertFilter, alerts_listed
from queries.analytics.today import today
from queries.analytics.usual import usual_durations
from queries.approvals import approvals_listed
from queries.costs import unpriced_counted
from queries.dead_letters import dead_letters_listed
from queries.exchange import Answer, exchange
from queries.executions import longest_running, newest_failed
from queries.latest_events import latest_events
from queries.processes import ProcessFilter, list_processes
from queries.reading import ReadModelRebuilding
from queries.schedules import urgent_schedules
from queries.set_aside import set_aside_listed
from queries.timers import TimerFilter, timers_listed
from queries.under_way import MOST_UNDER_WAY, find_work_due, under_way_counted
from web.alerts import shown_alert
from web.failures import group_failures
from web.layout import COUNTED, approvals_for, page, reader_of
from web.monitored import OverviewParameters, monitored_by_reader, monitored_part
from web.schedules.marks import FLAGS
from web.today import MONTHS, WEEKDAYS, compared, ended_today, weekday

SHOWN = 10
MOST_FAILED = 50
"""Failed executions that are read and put in groups."""
# A timer that is less late than this is being fired.
TOLERATED_SECONDS = 5.0
NEXT_RUNS = 5
FAILURES = 2
"""So many failures in a row of a schedule need a person."""

T = TypeVar("T")

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
    within = caller.processes
    # Who is limited to processes sees none of these: they do not say of which process they are.
    unlimited = not within
    with exchange(reading) as asked:
        approvals_now = asked.add(approvals_listed(approvals_for(caller, ["open"], own=True), None, SHOWN))
        failed_now = asked.add(newest_failed(within, MOST_FAILED))
        running_now = asked.add(longest_running(within, SHOWN))
        late_now = asked.add(timers_listed(TimerFilter(overdue=True, within=within), None, SHOWN))
        schedules_now = asked.add(urgent_schedules(within, FAILURES, SHOWN))
        aside_now = asked.add(set_aside_listed(None, SHOWN)) if unlimited else None
        letters_now = asked.add(dead_letters_listed(None, None, SHOWN)) if unlimited else None
        alerts_now = asked.add(alerts_listed(AlertFilter(statuses=[OPEN], within=within), None, SHOWN))
        unpriced_now = asked.add(unpriced_counted(COUNTED)) if unlimited else None
        under_way_now = asked.add(under_way_counted(within))
        today_now = asked.add(today(reader.now, reader.zone_name, within))
        monitored = monitored_by_reader(caller, given)
        monitored_now = None if monitored is None else asked.add(monitored)
    approvals = masking.approvals(approvals_now.view())
    failed = masking.summaries(failed_now.view())
    failures = group_failures(failed.items)[:SHOWN]
    running = masking.summaries(running_now.view())
    late = [each for each in late_now.view().items if each.overdue_seconds > TOLERATED_SECONDS]
    schedules = schedules_now.view()
    expected = [each for each in schedules.next if not each.process_paused]
    since = reader.now - door_of(request).handlers.overdue_after
    missed = [each for each in schedules.next if each.next_run is not None and each.next_run < since]
    aside = [] if aside_now is None else masking.set_aside(aside_now.view()).items
    letters = [] if letters_now is None else masking.dead_letters(letters_now.view()).items
    alerts = [shown_alert(restricted_alert(each, caller)) for each in alerts_now.view().items]
    unpriced = 0 if unpriced_now is None else unpriced_now.view()
    with exchange(reading) as asked:
        latest_now = asked.add(latest_events([each.execution_id for each in running.items]))
        usual_now = asked.add(usual_durations({each.process_id for each in running.items}, reader.now))
    needs = (
        approvals.items,
        failures,
        late,
        missed,
        aside,
        letters,
        alerts,
        schedules.failing,
        [1] if unpriced else [],
    )
    waiting, more = sum(map(len, needs)), any(len(each) == SHOWN for each in needs)
    return page(
        request,
        "overview.html",
        title="Overview",
        nav="Overview",
        freshness=running,
        today=_unless_built(today_now),
        day=_day(reader.now_there),
        compared=compared,
        weekday=weekday,
        ended_today=ended_today,
        under_way=under_way_now.view(),
        most_under_way=MOST_UNDER_WAY,
        due=find_work_due(reading) if unlimited else None,
        first=not running.items and not list_processes(reading, ProcessFilter(within=within), limit=1).items,
        alerts=alerts,
        failing=schedules.failing,
        unpriced=unpriced,
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
        monitored=None if monitored_now is None else monitored_part(monitored_now.view(), caller, given),
        flags=FLAGS,
        most=SHOWN,
        running=running.items,
        latest=latest_now.view(),
        usual=_unless_built(usual_now) or {},
        summary=_summary(waiting, more),
    )


def _unless_built(answer: Answer[T]) -> T | None:
    """Return the view, None while its read model is built: the rest of the page does without."""
    try:
        return answer.view()
    except ReadModelRebuilding:
        return None


def _day(now: datetime) -> str:
    return f"{WEEKDAYS[now.weekday()]}, {now.day} {MONTHS[now.month - 1]}"


def _summary(waiting: int, more: bool) -> str:
    if waiting < 2:
        return "One thing waits for you." if waiting else ""
    return f"{'More than ' if more else ''}{waiting} things wait for you."
