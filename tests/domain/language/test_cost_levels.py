"""Costs: levels kept exactly, what is wrong with them, and what is only worth telling."""

from decimal import Decimal

import jsonschema_rs
import pytest
import yaml

from domain.language import json_schema, parse_definition, print_definition
from domain.language.types.costs import CostLevel, Costs
from domain.money import Money
from domain.refusal import Problem

SCHEMA = jsonschema_rs.validator_for(json_schema(), offline=True)
LEVEL = "{amount: '5.00', currency: USD}"


def costing(fields: str) -> str:
    return f"name: p\ncosts: {{{fields}}}\nsteps: [{{id: a, agent: w, message: x}}]\n"


def problems_of(source: str, *severities: str) -> list[Problem]:
    return [problem for problem in parse_definition(source).problems if problem.severity in severities]


def read(fields: str) -> Costs:
    parsed = parse_definition(costing(fields))
    assert parsed.problems == []
    assert parsed.definition is not None
    assert parsed.definition.costs is not None
    return parsed.definition.costs


def test_one_level_is_a_list_of_one() -> None:
    assert read(f"daily: {LEVEL}") == read(f"daily: [{LEVEL}]")
    assert read(f"daily: {LEVEL}").daily == (CostLevel(amount="5.00", currency="USD"),)


def test_costs_say_little_and_the_rest_is_known() -> None:
    costs = read(f"weekly: {LEVEL}")
    assert (costs.per_execution, costs.daily, costs.timezone, costs.week_starts) == (None, None, "UTC", "monday")


@pytest.mark.parametrize(
    "written", ["5.00", "'5.00'", "0.1000000000000000000000000001", "123456789012345678.90", "5", ".5"]
)
def test_an_amount_is_kept_to_its_last_digit_in_quotes_or_without(written: str) -> None:
    (level,) = read(f"per_execution: {{amount: {written}, currency: EUR}}").per_execution or ()
    assert level.amount == written.strip("'")
    assert level.money == Money(Decimal(written.strip("'")), "EUR")
    definition = parse_definition(costing(f"per_execution: {{amount: {written}, currency: EUR}}")).definition
    assert definition is not None
    assert parse_definition(print_definition(definition)).definition == definition


@pytest.mark.parametrize(
    ("amount", "warn_at", "warns_at"), [("5.00", "0.8", "4.000"), ("0.10", "1", "0.10"), ("3", "0.1", "0.3")]
)
def test_the_warning_is_at_an_exact_amount(amount: str, warn_at: str, warns_at: str) -> None:
    (level,) = read(f"daily: {{amount: {amount}, currency: USD, warn_at: {warn_at}}}").daily or ()
    assert level.warns_at == Money(Decimal(warns_at), "USD")


def test_without_warn_at_there_is_no_warning() -> None:
    (level,) = read(f"daily: {LEVEL}").daily or ()
    assert level.warns_at is None


# Each `§` marks where the problem is; it is taken out before reading.
ERRORS = [
    ("daily: §5", "wrong_type", "daily"),
    ("daily: §[]", "empty", "daily"),
    ("daily: [§5]", "wrong_type", "daily[0]"),
    (f"daily: §[{', '.join(f'{{amount: {n}, currency: USD}}' for n in range(1, 22))}]", "too_many", "daily"),
    ("daily: §{amount: '5'}", "missing_field", "daily.currency"),
    ("daily: §{currency: USD}", "missing_field", "daily.amount"),
    ("daily: {amount: §0, currency: USD}", "invalid_amount", "daily.amount"),
    ("daily: {amount: §'0.00', currency: USD}", "invalid_amount", "daily.amount"),
    ("daily: {amount: §-5, currency: USD}", "invalid_amount", "daily.amount"),
    ("daily: {amount: §0x10, currency: USD}", "invalid_amount", "daily.amount"),
    ("daily: {amount: §much, currency: USD}", "invalid_amount", "daily.amount"),
    ("daily: {amount: §true, currency: USD}", "wrong_type", "daily.amount"),
    ("daily: {amount: §[5], currency: USD}", "wrong_type", "daily.amount"),
    ("daily: {amount: 5, currency: §usd}", "invalid_currency", "daily.currency"),
    ("daily: {amount: 5, currency: USD, warn_at: §0}", "out_of_range", "daily.warn_at"),
    ("daily: {amount: 5, currency: USD, warn_at: §1.01}", "out_of_range", "daily.warn_at"),
    ("daily: {amount: 5, currency: USD, warn_at: §80%}", "wrong_type", "daily.warn_at"),
    (f"weekly: [{LEVEL}, {{amount: 9, currency: §EUR}}]", "currency_differs", "weekly[1].currency"),
    (f"weekly: [{LEVEL}, {{amount: §5, currency: USD}}]", "amounts_not_rising", "weekly[1].amount"),
    (f"weekly: [{LEVEL}, {{amount: §'1', currency: USD}}]", "amounts_not_rising", "weekly[1].amount"),
    ("daily: {amount: 5, currency: USD, on_alert: §stop}", "unknown_value", "daily.on_alert"),
    ("daily: {amount: 5, currency: USD, on_alert: §cancel_execution}", "invalid_value", "daily.on_alert"),
    (f"weekly: {LEVEL}, timezone: §Europe/Berln", "unknown_timezone", "timezone"),
    (f"weekly: {LEVEL}, week_starts: §someday", "unknown_value", "week_starts"),
]


@pytest.mark.parametrize(("fields", "code", "path"), ERRORS)
def test_each_error_is_located(fields: str, code: str, path: str) -> None:
    marked = costing(fields)
    before = marked[: marked.index("§")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = problems_of(marked.replace("§", ""), "error")
    assert [(p.code, p.path, p.line, p.column) for p in found] == [(code, f"costs.{path}", line, column)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (f"daily: {LEVEL}, §week_starts: sunday", "unused_field"),
        (f"per_execution: {LEVEL}, §timezone: Europe/Berlin", "unused_field"),
        (f"daily: {LEVEL}, §monthly: {LEVEL}", "unknown_key"),
        ("daily: {amount: 5, currency: USD, §warn: 0.8}", "unknown_key"),
    ],
)
def test_what_has_no_effect_is_a_warning(fields: str, code: str) -> None:
    marked = costing(fields)
    before = marked[: marked.index("§")].rpartition("\n")[2]
    parsed = parse_definition(marked.replace("§", ""))
    assert [(p.code, p.severity, p.column) for p in parsed.problems] == [(code, "warning", len(before) + 1)]
    assert parsed.definition is not None


def test_a_day_in_short_is_read_as_the_same_with_a_notice() -> None:
    short = parse_definition(costing(f"weekly: {LEVEL}, week_starts: Sun"))
    assert [(p.code, p.path) for p in short.problems] == [("alias", "costs.week_starts")]
    assert short.definition == parse_definition(costing(f"weekly: {LEVEL}, week_starts: sunday")).definition


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        (f"daily: {LEVEL}", True),
        (f"daily: [{LEVEL}, {{amount: 9.50, currency: USD, warn_at: 0.5}}], timezone: Europe/Berlin", True),
        ("daily: 5", False),
        ("daily: []", False),
        ("daily: {amount: 5}", False),
        ("daily: {amount: 5, currency: USD, warn_at: 0}", False),
        ("week_starts: someday", False),
    ],
)
def test_the_schema_tells_costs_apart(fields: str, valid: bool) -> None:
    assert SCHEMA.is_valid(yaml.safe_load(costing(fields))) is valid
