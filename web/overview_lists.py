"""The lists and figures of the overview, which one exchange with the server brings."""

from typing import Any

import msgspec

from domain.alerts.alert import OPEN
from edge.principal import Principal
from queries.alerts import AlertFilter, CostAlertView, alerts_listed
from queries.analytics.today import TodayFigures, today
from queries.approvals import ApprovalView, approvals_listed
from queries.costs import unpriced_counted
from queries.dead_letters import DeadLetterView, dead_letters_listed
from queries.exchange import exchange
from queries.executions import ExecutionSummary, FailedExecution, longest_running, newest_failed
from queries.monitored import MonitoredItem
from queries.paging import Page
from queries.reading import Reading
from queries.schedules import UrgentSchedules, urgent_schedules
from queries.set_aside import SetAsideView, set_aside_listed
from queries.timers import TimerFilter, TimerView, timers_listed
from queries.under_way import ExecutionsUnderWay, under_way_counted
from web.layout import COUNTED, Reader, approvals_for
from web.monitored import OverviewParameters, monitored_by_reader

SHOWN = 10
MOST_FAILED = 50
"""So many failed executions, the newest, are put in groups."""
FAILURES = 2
"""So many failures in a row of a schedule need a person."""

_EMPTY: Page[Any] = Page((), None, 0, 0.0)


class OverviewLists(msgspec.Struct, frozen=True):
    """The lists, not masked. today: None while its read model is built; monitored: None for a reader without a team."""

    approvals: Page[ApprovalView]
    failed: Page[FailedExecution]
    running: Page[ExecutionSummary]
    timers: Page[TimerView]
    schedules: UrgentSchedules
    aside: Page[SetAsideView]
    letters: Page[DeadLetterView]
    alerts: Page[CostAlertView]
    unpriced: int
    under_way: ExecutionsUnderWay
    today: TodayFigures | None
    monitored: Page[MonitoredItem] | None


def read_lists(reading: Reading, reader: Reader, caller: Principal, given: OverviewParameters) -> OverviewLists:
    """Return the lists that the caller sees. Raises ReadModelRebuilding, or Outage."""
    within = caller.processes
    with exchange(reading) as together:
        approvals = together.add(approvals_listed(approvals_for(caller, ["open"], own=True), None, SHOWN))
        failed = together.add(newest_failed(within, MOST_FAILED))
        running = together.add(longest_running(within, SHOWN))
        timers = together.add(timers_listed(TimerFilter(overdue=True, within=within), None, SHOWN))
        schedules = together.add(urgent_schedules(within, FAILURES, SHOWN))
        # Who is limited to processes sees none of these: they do not say of which process they are.
        aside = None if within else together.add(set_aside_listed(None, SHOWN))
        letters = None if within else together.add(dead_letters_listed(None, None, SHOWN))
        unpriced = None if within else together.add(unpriced_counted(COUNTED))
        alerts = together.add(alerts_listed(AlertFilter(statuses=[OPEN], within=within), None, SHOWN))
        under_way = together.add(under_way_counted(within))
        of_today = together.add(today(reader.now, reader.zone_name, within))
        of_teams = monitored_by_reader(caller, given)
        monitored = None if of_teams is None else together.add(of_teams)
    return OverviewLists(
        approvals.view(),
        failed.view(),
        running.view(),
        timers.view(),
        schedules.view(),
        _EMPTY if aside is None else aside.view(),
        _EMPTY if letters is None else letters.view(),
        alerts.view(),
        0 if unpriced is None else unpriced.view(),
        under_way.view(),
        of_today.unless_built(),
        None if monitored is None else monitored.view(),
    )
