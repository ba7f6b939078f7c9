"""Schedule triggers: what is read, what is wrong with them, and what is only worth telling."""

from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest

from domain.identity import process_id
from domain.language import json_schema, parse_definition
from domain.language.reading.nodes import plain
from domain.language.reading.problems import Problems
from domain.language.reading.tree import read_tree
from domain.language.types.triggers import Dst, ManualTrigger, ScheduleTrigger, WebhookTrigger
from domain.processes.plan import compile_plan
from domain.refusal import Problem

SCHEMA = jsonschema_rs.validator_for(json_schema(), offline=True)
STEPS = "steps: [{id: a, agent: w, message: x}]\n"
BERLIN = "timezone: Europe/Berlin"


def schedule(fields: str, inputs: str = "") -> str:
    return f"name: p\n{inputs}triggers:\n- {{type: schedule, id: s, {fields}}}\n{STEPS}"


def problems_of(source: str, *severities: str) -> list[Problem]:
    return [problem for problem in parse_definition(source).problems if problem.severity in severities]


def values_in(source: str) -> Any:
    root = read_tree(source, Problems())
    assert root is not None
    return plain(root)


def read(fields: str) -> ScheduleTrigger:
    parsed = parse_definition(schedule(fields))
    assert parsed.definition is not None, parsed.problems
    (trigger,) = parsed.definition.triggers
    assert isinstance(trigger, ScheduleTrigger)
    return trigger


def test_a_schedule_says_little_and_the_rest_is_known() -> None:
    trigger = read("cron: '0 9 * * mon-fri'")
    assert (trigger.cron, trigger.preset, trigger.enabled, trigger.timezone) == ("0 9 * * mon-fri", None, True, "UTC")
    assert (trigger.overlap, trigger.catch_up, trigger.catch_up_window) == ("skip", "latest", timedelta(hours=1))
    assert (trigger.dst, trigger.short_month, trigger.jitter) == (Dst(gap="shift", overlap="first"), "last_day", None)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ("preset: weekly, on: [mon, thu], at: '9:05'", {"on": ("mon", "thu"), "at": "09:05"}),
        ("preset: weekly, on: sun", {"on": ("sun",)}),
        ("preset: monthly, day: last", {"day": "last"}),
        ("preset: monthly, day: 31, short_month: skip", {"day": 31, "short_month": "skip"}),
        ("preset: daily, at: 23:59", {"at": "23:59"}),
        (f"preset: hourly, dst: {{gap: skip, overlap: both}}, {BERLIN}", {"dst": Dst(gap="skip", overlap="both")}),
        ("preset: hourly, overlap: cancel_running, catch_up: all, catch_up_window: 2d", {"overlap": "cancel_running"}),
        ("cron: ' 0  9 * * * '", {"cron": "0 9 * * *"}),
        ("cron: '0 9 * * 5L,mon#1'", {"cron": "0 9 * * 5L,mon#1"}),
        ("every: 90m, pause_after: 5", {"every": timedelta(minutes=90), "pause_after": 5}),
        ("preset: hourly, at: ':15'", {"at": ":15"}),
        ("preset: daily, except: 2026-12-24", {"except": ("2026-12-24",)}),
        (
            "preset: daily, except: [2026-12-24..2026-12-26, holidays], on_exception: next_day",
            {"on_exception": "next_day"},
        ),
        ("cron: '@daily', starts_at: 2026-01-01T00:00Z, jitter: 90", {"jitter": timedelta(seconds=90)}),
        ("preset: daily, starts_at: 2026-01-01 00:00, ends_at: 2026-01-01T00:01", {"starts_at": "2026-01-01 00:00"}),
    ],
)
def test_what_is_said_is_kept_without_a_word(fields: str, kept: dict[str, Any]) -> None:
    assert parse_definition(schedule(fields)).problems == []
    assert read(fields).model_dump(include=set(kept)) == ScheduleTrigger.model_construct(**kept).model_dump(
        include=set(kept)
    )
    assert SCHEMA.is_valid(values_in(schedule(fields)))


# Each `§` marks where the problem is; it is taken out before reading.
ERRORS = [
    ("cron: §'61 * * * *'", "invalid_cron", "cron"),
    ("cron: §'* * * * * *'", "invalid_cron", "cron"),
    ("cron: §'H * * * *'", "invalid_cron", "cron"),
    ("cron: §'0 0 31 2 *'", "never_comes", "cron"),
    ("cron: §7", "wrong_type", "cron"),
    ("cron: §'0 9 * * *', preset: daily", "cron_and_preset", "cron"),
    ("§cron: daily, preset: daily", "said_twice", "cron"),
    ("preset: §yearly", "unknown_value", "preset"),
    ("preset: daily, at: §'25:00'", "invalid_time", "at"),
    ("preset: daily, at: §'9am'", "invalid_time", "at"),
    ("preset: daily, at: §900", "wrong_type", "at"),
    ("preset: weekly, on: §[]", "empty", "on"),
    ("preset: weekly, on: [mon, §someday]", "unknown_value", "on[1]"),
    ("preset: weekly, on: [§1]", "unknown_value", "on[0]"),
    ("preset: weekly, on: §{mon: true}", "wrong_type", "on"),
    ("preset: monthly, day: §0", "invalid_day", "day"),
    ("preset: monthly, day: §32", "invalid_day", "day"),
    ("preset: monthly, day: §true", "invalid_day", "day"),
    ("preset: monthly, day: §first", "invalid_day", "day"),
    ("preset: monthly, day: §[1]", "invalid_day", "day"),
    ("preset: monthly, day: 31, short_month: §next", "unknown_value", "short_month"),
    ("preset: daily, timezone: §Europe/Berln", "unknown_timezone", "timezone"),
    (f"preset: daily, {BERLIN}, dst: §skip", "wrong_type", "dst"),
    (f"preset: daily, {BERLIN}, dst: {{gap: §first}}", "unknown_value", "dst.gap"),
    (f"preset: daily, {BERLIN}, dst: {{overlap: §skip}}", "unknown_value", "dst.overlap"),
    ("preset: daily, overlap: §queue", "unknown_value", "overlap"),
    ("preset: daily, catch_up: §last", "unknown_value", "catch_up"),
    ("preset: daily, catch_up_window: §0", "invalid_duration", "catch_up_window"),
    ("preset: daily, jitter: §25h", "duration_too_long", "jitter"),
    ("preset: daily, starts_at: §tomorrow", "invalid_time", "starts_at"),
    ("preset: daily, ends_at: §2026-02-30T00:00Z", "invalid_time", "ends_at"),
    ("preset: daily, starts_at: §'0001-01-01T00:00+10:00'", "invalid_time", "starts_at"),
    ("preset: daily, starts_at: 2026-01-02T00:00Z, ends_at: §2026-01-02T00:00Z", "never_comes", "ends_at"),
    (f"preset: daily, {BERLIN}, starts_at: 2026-01-01T23:30Z, ends_at: §2026-01-02 00:30", "never_comes", "ends_at"),
    ("preset: daily, secret: §'${A}'", "secret_unused", "secret"),
    ("cron: §'0 0 * * fri-mon'", "invalid_cron", "cron"),
    ("cron: §'0 22-2 * * *'", "invalid_cron", "cron"),
    ("cron: §'5/15 * * * *'", "invalid_cron", "cron"),
    ("cron: §'0 0 * 2 mon#5'", "never_comes", "cron"),
    ("every: §1h, preset: daily", "several_rules", "every"),
    ("every: §500ms", "duration_too_short", "every"),
    ("preset: hourly, at: §'00:15'", "invalid_time", "at"),
    ("preset: daily, at: §':15'", "invalid_time", "at"),
    ("preset: daily, except: [2026-12-24, §2026-02-30]", "invalid_date", "except[1]"),
    ("preset: daily, except: [§2026-12-26..2026-12-24]", "invalid_date", "except[0]"),
    ("every: 1h, except: 2026-12-24, on_exception: §next_day", "invalid_value", "on_exception"),
    ("preset: daily, pause_after: §0", "out_of_range", "pause_after"),
]


@pytest.mark.parametrize(("fields", "code", "path"), ERRORS)
def test_each_error_is_located(fields: str, code: str, path: str) -> None:
    marked = schedule(fields)
    before = marked[: marked.index("§")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = problems_of(marked.replace("§", ""), "error")
    assert [(p.code, p.path, p.line, p.column) for p in found] == [(code, f"triggers[0].{path}", line, column)]


def test_a_schedule_without_a_time_is_told_so() -> None:
    (problem,) = problems_of(schedule(BERLIN), "error")
    assert (problem.code, problem.path, problem.line) == ("missing_field", "triggers[0].cron", 3)


def test_nobody_gives_a_schedule_the_input_that_is_required() -> None:
    inputs = "input: {day: {required: true}, n: {required: true, default: 1}, m: {type: string}}\n"
    for given, path, column in (
        ("preset: daily", "input.day", 3),
        ("preset: daily, input: {m: x}", "input.day", 49),
        ("preset: daily, input: {day: null}", "input.day", 55),
    ):
        found = problems_of(schedule(given, inputs), "error")
        where = ("required_input", f"triggers[0].{path}", 4, column)
        assert [(p.code, p.path, p.line, p.column) for p in found] == [where]
    assert problems_of(schedule("preset: daily, input: {day: x}", inputs), "error", "warning") == []
    assert [p.code for p in problems_of(schedule("preset: daily, input: {day: x, z: 1}", inputs))] == []


WARNINGS = [
    ("cron: '0 9 * * *', §at: '10:00'", "unused_field"),
    ("cron: '0 9 * * *', §on: [mon]", "unused_field"),
    ("cron: '0 9 * * *', §day: 1", "unused_field"),
    ("cron: '0 9 * * *', §short_month: skip", "unused_field"),
    ("preset: daily, §on_exception: next_day", "unused_field"),
    (f"every: 1h, {BERLIN}, §dst: {{gap: skip}}", "unused_field"),
    ("every: 1h, §at: '09:00'", "unused_field"),
    ("preset: daily, §on: mon", "unused_field"),
    ("preset: weekdays, §on: mon", "unused_field"),
    ("preset: weekly, §day: 3", "unused_field"),
    ("preset: weekly, §short_month: skip", "unused_field"),
    ("preset: monthly, §on: mon", "unused_field"),
    ("preset: monthly, §short_month: skip", "unused_field"),
    ("preset: monthly, day: 28, §short_month: skip", "unused_field"),
    ("preset: monthly, day: last, §short_month: skip", "unused_field"),
    ("preset: weekly, on: [mon, tue, §mon]", "duplicate_day"),
    ("preset: daily, §dst: {gap: skip}", "unused_field"),
    ("preset: daily, timezone: UTC, §dst: {gap: skip}", "unused_field"),
    ("preset: daily, catch_up: none, §catch_up_window: 2h", "unused_field"),
    ("preset: daily, §time: '09:00'", "unknown_key"),
    (f"preset: daily, {BERLIN}, dst: {{§clock: skip}}", "unknown_key"),
]


@pytest.mark.parametrize(("fields", "code"), WARNINGS)
def test_what_has_no_effect_is_a_warning(fields: str, code: str) -> None:
    marked = schedule(fields)
    before = marked[: marked.index("§")]
    parsed = parse_definition(marked.replace("§", ""))
    found = [(p.code, p.column) for p in parsed.problems if p.severity == "warning"]
    assert found == [(code, len(before) - before.rfind("\n"))]
    assert parsed.definition is not None


@pytest.mark.parametrize(
    ("other", "canonical"),
    [
        *((f"cron: {word}", f"preset: {word}") for word in ScheduleTrigger.takes),
        ("cron: Daily, at: '09:00'", "preset: daily, at: '09:00'"),
        ("preset: weekly, on: [Monday, THU]", "preset: weekly, on: [mon, thu]"),
        ("preset: weekly, on: Sunday", "preset: weekly, on: [sun]"),
    ],
)
def test_other_spellings_are_read_as_the_same_with_a_notice(other: str, canonical: str) -> None:
    parsed, wanted = parse_definition(schedule(other)), parse_definition(schedule(canonical))
    assert wanted.problems == []
    assert parsed.definition == wanted.definition
    assert {(p.code, p.severity) for p in parsed.problems} == {("alias", "notice")}


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ("preset: daly", "did you mean `daily`?"),
        ("preset: weekly, on: [mno]", "did you mean `mon`?"),
        ("preset: daily, timezone: Europe/Berln", "did you mean `Europe/Berlin`?"),
        ("preset: daily, on: mon", "for some days use `preset: weekly`"),
        ("preset: hourly, at: '00:15'", "write `at: ':15'`"),
    ],
)
def test_a_hint_says_what_may_be_meant(fields: str, hint: str) -> None:
    (problem,) = problems_of(schedule(fields), "error", "warning")
    assert problem.hint == hint


def test_fields_of_one_type_are_none_of_another() -> None:
    source = f"name: p\ntriggers: [{{type: manual, id: a, cron: '0 9 * * *'}}]\n{STEPS}"
    (problem,) = parse_definition(source).problems
    assert (problem.code, problem.severity, problem.path) == ("unknown_key", "warning", "triggers[0].cron")


def test_too_many_triggers_are_told_once() -> None:
    triggers = ", ".join(f"{{type: manual, id: t{at}}}" for at in range(51))
    (problem,) = parse_definition(f"name: p\ntriggers: [{triggers}]\n{STEPS}").problems
    assert (problem.code, problem.path) == ("too_many_triggers", "triggers")


def test_a_plan_has_the_webhooks_by_id_and_the_fixed_input_of_somebody() -> None:
    source = f"""\
name: p
triggers:
- {{type: schedule, id: s, preset: daily, input: {{n: 1}}}}
- {{type: manual, id: m, input: {{n: 2}}}}
- {{type: webhook, id: w, input: {{n: 3}}}}
{STEPS}"""
    definition = parse_definition(source).definition
    assert definition is not None
    assert [type(trigger) for trigger in definition.triggers] == [ScheduleTrigger, ManualTrigger, WebhookTrigger]
    plan = compile_plan(definition, process_id("p"), 1)
    assert list(plan.webhooks) == ["w"]
    assert plan.input_spec.fixed == {"n": 2}


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ("cron: daily", True),
        ("preset: weekly, on: mon", True),
        ("enabled: false", False),
        ("cron: '0 9 * * *', preset: daily", False),
        ("preset: yearly", False),
        ("preset: monthly, day: 32", False),
        ("preset: daily, dst: {gap: first}", False),
        ("preset: daily, overlap: both", False),
    ],
)
def test_the_schema_tells_schedules_apart(fields: str, valid: bool) -> None:
    assert SCHEMA.is_valid(values_in(schedule(fields))) is valid
