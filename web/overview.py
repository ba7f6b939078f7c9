"""The overview: what needs a person, and what runs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.agents import RegisterAgent
from commands.alerts import AcknowledgeCostAlert
from commands.processes import DraftProcess
from commands.repairs import RetryExecution
from domain.alerts.alert import OPEN
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, door_of
from edge.principal import Principal
from edge.scopes import READ, requires
from edge.sensitive import SensitiveViews
from edge.visibility import restricted_alert
from queries.alerts import AlertFilter, list_alerts
from queries.analytics.today import figures_of_today
from queries.analytics.usual import usual_figures
from queries.approvals import list_approvals
from queries.costs import count_unpriced
from queries.dead_letters import list_dead_letters
from queries.executions import ExecutionFilter, list_executions, list_longest_running
from queries.latest_events import latest_events
from queries.processes import ProcessFilter, list_processes
from queries.reading import Reading
from queries.schedules import ScheduleFilter, list_schedules
from queries.set_aside import list_set_aside
from queries.timers import TimerFilter, list_timers
from queries.under_way import MOST_UNDER_WAY, count_under_way, find_work_due
from web.alerts import shown_alert
from web.failures import group_failures
from web.layout import COUNTED, approvals_for, page, reader_of
from web.monitored import OverviewParameters, monitored_by_reader
from web.schedules.marks import FLAGS
from web.today import MONTHS, WEEKDAYS, compared, ended_today, weekday

SHOWN = 10
MOST_FAILED = 50
"""Failed executions that are read and put in groups."""
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
    with reading.together():
        return _overview(request, reading, caller, masking, given)


def _overview(
    request: Request, reading: Reading, caller: Principal, masking: SensitiveViews, given: OverviewParameters
) -> Response:
    reader = reader_of(request)
    local = reader.now.astimezone(reader.zone)
    approvals = masking.approvals(list_approvals(reading, approvals_for(caller, ["open"], own=True), limit=SHOWN))
    of_failed = ExecutionFilter(statuses=["failed"], within=caller.processes)
    failed = masking.summaries(list_executions(reading, of_failed, limit=MOST_FAILED))
    failures = group_failures(failed.items)[:SHOWN]
    running = masking.summaries(list_longest_running(reading, caller.processes, SHOWN))
    late = [
        timer
        for timer in list_timers(reading, TimerFilter(overdue=True, within=caller.processes), limit=SHOWN).items
        if timer.overdue_seconds > TOLERATED_SECONDS
    ]
    active = ScheduleFilter(statuses=["active"], within=caller.processes)
    schedules = list_schedules(reading, active, limit=SHOWN).items
    expected = [each for each in schedules if not each.process_paused]
    since = reader.now - door_of(request).handlers.overdue_after
    missed = [each for each in schedules if each.next_run is not None and each.next_run < since]
    # Who is limited to processes sees none of both: the lists do not say of which process they are.
    aside = [] if caller.processes else masking.set_aside(list_set_aside(reading, limit=SHOWN)).items
    letters = [] if caller.processes else masking.dead_letters(list_dead_letters(reading, limit=SHOWN)).items
    failing = list_schedules(
        reading, ScheduleFilter(statuses=["active"], within=caller.processes, failures=2), limit=SHOWN
    )
    opened = list_alerts(reading, AlertFilter(statuses=[OPEN], within=caller.processes), limit=SHOWN).items
    alerts = [shown_alert(restricted_alert(each, caller)) for each in opened]
    unpriced = 0 if caller.processes else count_unpriced(reading, COUNTED)
    needs = (
        approvals.items,
        failures,
        late,
        missed,
        aside,
        letters,
        alerts,
        failing.items,
        [1] if unpriced else [],
    )
    waiting, more = sum(map(len, needs)), any(len(each) == SHOWN for each in needs)
    return page(
        request,
        "overview.html",
        title="Overview",
        nav="Overview",
        freshness=running,
        today=figures_of_today(reading, reader.now, reader.zone_name, within=caller.processes),
        day=f"{WEEKDAYS[local.weekday()]}, {local.day} {MONTHS[local.month - 1]}",
        compared=compared,
        weekday=weekday,
        ended_today=ended_today,
        under_way=count_under_way(reading, caller.processes),
        most_under_way=MOST_UNDER_WAY,
        due=None if caller.processes else find_work_due(reading),
        first=not running.items and not list_processes(reading, ProcessFilter(within=caller.processes), limit=1).items,
        alerts=alerts,
        failing=failing.items,
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
        monitored=monitored_by_reader(reading, caller, given),
        flags=FLAGS,
        most=SHOWN,
        running=running.items,
        latest=latest_events(reading, [each.execution_id for each in running.items]),
        usual=usual_figures(reading, {each.process_id for each in running.items}),
        summary=_summary(waiting, more),
    )


def _summary(waiting: int, more: bool) -> str:
    if waiting < 2:
        return "One thing waits for you." if waiting else ""
    return f"{'More than ' if more else ''}{waiting} things wait for you."
