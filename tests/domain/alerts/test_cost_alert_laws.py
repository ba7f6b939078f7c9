"""Given thresholds and costs, then windows, crossings and alerts are as the documents define them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.alerts.alert import fold
from domain.alerts.crossing import Crossed, Fallen, RuleOfProcess, SpentCost, cross, reached, scope_of
from domain.alerts.decisions import acknowledge_alert, dismiss_alert, raise_alert, resolve_alert, snooze_alert
from domain.alerts.events import CostThresholdSet, ThresholdLevel
from domain.alerts.setting import clear_threshold, set_thresholds
from domain.alerts.thresholds import CostRule, Thresholds, ThresholdTerms, alert_levels
from domain.alerts.thresholds import fold as fold_thresholds
from domain.alerts.windows import CostWindow, window_of, windows_between
from domain.event import Cause, Event
from domain.identity import process_id
from tests.scenario import refused, scenario

ID, RUN = process_id("spender"), UUID("0192f0c1-0000-7000-8000-000000000001")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
CAUSE = Cause(NOON, "user:ann")
given_thresholds = scenario(fold_thresholds)
given_alert = scenario(fold)


def rule(*amounts: str, kind: str = "daily", warn_at: str | None = None) -> CostRule:
    """Return a rule with these levels in USD."""
    part = None if warn_at is None else Decimal(warn_at)
    return CostRule(1, kind, tuple(ThresholdLevel(Decimal(amount), "USD", part) for amount in amounts))


def cost(amount: str, at: datetime = NOON, *, recorded: timedelta = timedelta(), correction: bool = False) -> SpentCost:
    """Return a cost in USD, booked a while after its call."""
    value = Decimal(amount)
    return SpentCost(7, ID, RUN, RUN, "work", at, at + recorded, value, "USD", correction=correction)


def crossed(of: CostRule, before: str, spent: SpentCost) -> list[Crossed | Fallen]:
    """Return the levels that a cost crosses."""
    scope = scope_of(of, spent)
    return [] if scope is None else cross(RuleOfProcess(ID, "spender", of), scope, Decimal(before), spent)


def raised() -> list[Event]:
    """Return the events of an alert that was raised."""
    (found,) = crossed(rule("5"), "4", cost("1"))
    assert isinstance(found, Crossed)
    return raise_alert(None, found, CAUSE)


@pytest.mark.parametrize(
    ("at", "zone", "hours"),
    [
        ("2026-03-29T10:00Z", "Europe/Berlin", 23),
        ("2026-10-25T10:00Z", "Europe/Berlin", 25),
        ("2026-10-25T00:30Z", "Europe/Berlin", 25),
        ("2026-10-04T10:00Z", "Australia/Lord_Howe", 23.5),
        ("2026-12-01T10:00Z", "Asia/Kathmandu", 24),
    ],
)
def test_a_day_has_the_hours_of_its_zone(at: str, zone: str, hours: float) -> None:
    window = window_of("daily", datetime.fromisoformat(at), zone)
    assert window.begin <= datetime.fromisoformat(at) < window.end
    assert (window.end - window.begin) == timedelta(hours=hours)


def test_a_week_goes_on_over_new_year() -> None:
    monday = window_of("weekly", datetime(2027, 1, 1, 12, tzinfo=UTC), "UTC")
    assert (monday.begin, monday.end) == (datetime(2026, 12, 28, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC))
    sunday = window_of("weekly", datetime(2027, 1, 1, 12, tzinfo=UTC), "UTC", "sunday")
    assert sunday.begin == datetime(2026, 12, 27, tzinfo=UTC)


@drawn(
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Pacific/Apia"]),
    st.sampled_from(["daily", "weekly"]),
)
def test_windows_meet_and_each_instant_is_in_one(at: datetime, zone: str, kind: str) -> None:
    moment = at.replace(tzinfo=UTC)
    window = window_of(kind, moment, zone)
    assert window.begin <= moment < window.end
    following = list(windows_between(kind, moment, moment + timedelta(days=20), zone))
    assert following[0] == window
    assert all(one.end == other.begin for one, other in pairwise(following))


@pytest.mark.parametrize(
    ("before", "amount", "levels"),
    [
        ("3.99", "0.01", ["warning"]),
        ("4", "0.99", []),
        ("4", "1", ["alert"]),
        ("0", "5", ["warning", "alert"]),
        ("5", "9", []),
    ],
)
def test_a_level_is_reached_at_its_amount(before: str, amount: str, levels: list[str]) -> None:
    found = crossed(rule("5", warn_at="0.8"), before, cost(amount))
    assert [each.level.level for each in found if isinstance(each, Crossed)] == levels


@drawn(st.lists(st.decimals("0.001", 3, places=3), max_size=30))
def test_any_split_of_costs_reaches_each_level_once(amounts: list[Decimal]) -> None:
    of, total, found = rule("2", "7.5", warn_at="0.5"), Decimal(0), []
    for amount in amounts:
        found += [each.level.name for each in crossed(of, str(total), cost(str(amount))) if isinstance(each, Crossed)]
        total += amount
    assert found == [level.name for level in alert_levels(of) if level.amount <= total]


def test_a_late_cost_alerts_for_its_own_window_until_the_present_one_ends() -> None:
    (found,) = crossed(rule("5"), "4", cost("1", recorded=timedelta(days=1)))
    assert isinstance(found, Crossed)
    assert isinstance(found.scope, CostWindow)
    facts = found.facts()
    assert (facts["late"], found.scope.begin.day, facts["resolves_at"].day) == (True, 1, 3)


def test_a_correction_resolves_in_the_present_window_and_touches_no_closed_one() -> None:
    assert [type(each) for each in crossed(rule("5"), "6", cost("-2", correction=True))] == [Fallen]
    assert crossed(rule("5"), "4", cost("2", recorded=timedelta(days=1), correction=True)) == []


def test_a_threshold_that_is_set_below_the_total_is_reached_at_once() -> None:
    of = RuleOfProcess(ID, "spender", rule("5", "9"))
    assert [each.level.name for each in reached(of, RUN, Decimal(5), 9, NOON)] == ["0.alert"]


def test_an_alert_is_raised_once_and_again_after_a_correction() -> None:
    (found,) = crossed(rule("5"), "4", cost("1"))
    assert isinstance(found, Crossed)
    alert = fold(raised())
    assert raise_alert(alert, found, CAUSE) == []
    assert alert is not None
    for reason, names in (("window_ended", []), ("correction", ["CostAlertRaised"])):
        over = fold([*raised(), *resolve_alert(alert, reason, CAUSE)])
        assert [type(event).__name__ for event in raise_alert(over, found, CAUSE)] == names


def test_what_people_do_with_an_alert() -> None:
    alert = raised()
    given_alert(*alert).when(acknowledge_alert, "seen", CAUSE).then("CostAlertAcknowledged")
    given_alert(*alert).when(snooze_alert, NOON + timedelta(hours=1), "", CAUSE).then("CostAlertSnoozed")
    given_alert(*alert).when(snooze_alert, NOON, "", CAUSE).then(refused("malformed"))
    dismissed = [*alert, *dismiss_alert(fold(alert), "", CAUSE)]  # type: ignore[arg-type]
    given_alert(*dismissed).when(acknowledge_alert, "", CAUSE).then(refused("alert_over"))
    given_alert(*dismissed).when(resolve_alert, "window_ended", CAUSE).then()


def test_thresholds_are_set_kept_and_cleared() -> None:
    terms = ThresholdTerms({"daily": rule("5").levels})
    new = set_thresholds(Thresholds(), ID, "spender", terms, CAUSE)
    assert [type(event) for event in new] == [CostThresholdSet]
    given_thresholds(*new).when(set_thresholds, ID, "spender", terms, CAUSE).then()
    given_thresholds(*new).when(set_thresholds, ID, "spender", ThresholdTerms(), CAUSE).then("CostThresholdCleared")
    given_thresholds(*new).when(clear_threshold, ID, "spender", "weekly", CAUSE).then()
    given_thresholds(*new).when(clear_threshold, ID, "spender", "monthly", CAUSE).then(refused("not_found"))
