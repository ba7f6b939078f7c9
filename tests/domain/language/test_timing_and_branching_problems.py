"""What is wrong with timers, timeouts, retries, fallbacks, routes and defaults, and what is only worth telling."""

import pytest

from domain.language import agent_problems, parse_definition
from domain.refusal import Problem

PEOPLE = "id: h, type: human_approval"
AGENT = "id: a, agent: w, message: x"
TIMER = "id: t, type: timer"
GATE = "id: g, type: gateway"
OTHERS = "- {id: b, agent: w, message: x}\n- {id: c, agent: w, message: x}\n"


def problems_of(source: str, *severities: str) -> list[Problem]:
    return [problem for problem in parse_definition(source).problems if problem.severity in severities]


def step(text: str) -> str:
    return f"name: p\nsteps:\n- {{{text}}}\n{OTHERS}"


# Each `§` marks where the problem is; it is taken out before reading.
ERRORS = [
    (f"{PEOPLE}, approvers: [ann, §'a b']", "invalid_approver", "approvers[1]"),
    (f"{PEOPLE}, approvers: §7", "wrong_type", "approvers"),
    (f"{PEOPLE}, deadline: §0", "invalid_duration", "deadline"),
    (f"{PEOPLE}, deadline: 1h, §timeout: 1h", "said_twice", "timeout"),
    (f"{PEOPLE}, deadline: 1h, on_deadline: §wait", "unknown_value", "on_deadline"),
    (f"{PEOPLE}, require_reason: §maybe", "wrong_type", "require_reason"),
    (f"{PEOPLE}, artifacts: §[{', '.join('x' * 101)}]", "too_many", "artifacts"),
    (f"{PEOPLE}, title: §'{{{{ input.'", "expression_syntax", "title"),
    (f"{AGENT}, timeout: §0", "invalid_duration", "timeout"),
    (f"{AGENT}, timeout: §-1", "invalid_duration", "timeout"),
    (f"{AGENT}, timeout: §soon", "invalid_duration", "timeout"),
    (f"{AGENT}, timeout: §'{{{{ input.x }}}}'", "invalid_duration", "timeout"),
    (f"{AGENT}, timeout: §366d", "duration_too_long", "timeout"),
    (f"{AGENT}, total_timeout: §[1]", "invalid_duration", "total_timeout"),
    (f"{AGENT}, heartbeat: §0s", "invalid_duration", "heartbeat"),
    (f"{AGENT}, timeout: 1s, on_timeout: §stop", "unknown_value", "on_timeout"),
    (f"{AGENT}, timeout: 1s, on_timeout: §[skip]", "unknown_value", "on_timeout"),
    (f"{AGENT}, timeout: 1s, on_timeout: §{{}}", "missing_field", "on_timeout.goto"),
    (f"{AGENT}, timeout: 1s, on_timeout: {{goto: §zz}}", "unknown_step", "on_timeout.goto"),
    (f"{AGENT}, timeout: 1s, on_timeout: {{goto: §A}}", "invalid_id", "on_timeout.goto"),
    (f"{AGENT}, on_error: §7", "unknown_value", "on_error"),
    (f"{AGENT}, on_error: {{goto_step: §a}}", "goes_to_itself", "on_error.goto_step"),
    (f"{AGENT}, on_error: {{goto_step: §[b]}}", "wrong_type", "on_error.goto_step"),
    (f"{AGENT}, on_error: {{action: §explode}}", "unknown_value", "on_error.action"),
    (f"{AGENT}, on_error: §{{action: goto_step}}", "missing_field", "on_error.goto_step"),
    (f"{AGENT}, depends_on: b, on_error: {{goto_step: §b}}", "goes_backwards", "on_error.goto_step"),
    (f"{AGENT}, retry: §3", "wrong_type", "retry"),
    (f"{AGENT}, retry: {{max_attempts: §0}}", "out_of_range", "retry.max_attempts"),
    (f"{AGENT}, retry: {{max_attempts: §1001}}", "out_of_range", "retry.max_attempts"),
    (f"{AGENT}, retry: {{max_attempts: §two}}", "wrong_type", "retry.max_attempts"),
    (f"{AGENT}, retry: {{max_attempts: §2.5}}", "wrong_type", "retry.max_attempts"),
    (f"{AGENT}, retry: {{max_attempts: 2, delay: §-1}}", "invalid_duration", "retry.delay"),
    (f"{AGENT}, retry: {{max_attempts: 2, max_delay: §2y}}", "invalid_duration", "retry.max_delay"),
    (f"{AGENT}, retry: {{max_attempts: 2, backoff: §expo}}", "unknown_value", "retry.backoff"),
    (
        f"{AGENT}, retry: {{max_attempts: 2, backoff: exponential, multiplier: §0.5}}",
        "out_of_range",
        "retry.multiplier",
    ),
    (
        f"{AGENT}, retry: {{max_attempts: 2, retry_on: [x], give_up_on: [§x]}}",
        "retry_contradicts",
        "retry.give_up_on[0]",
    ),
    (f"{AGENT}, retry: {{max_attempts: 2, retry_on: §{{x: 1}}}}", "wrong_type", "retry.retry_on"),
    (f"{AGENT}, max_cost: §5", "wrong_type", "max_cost"),
    (f"{AGENT}, max_cost: {{amount: §true, currency: USD}}", "wrong_type", "max_cost.amount"),
    (f"{AGENT}, max_cost: {{amount: §'-1', currency: USD}}", "invalid_amount", "max_cost.amount"),
    (f"{AGENT}, max_cost: {{amount: §'1,50', currency: USD}}", "invalid_amount", "max_cost.amount"),
    (f"{AGENT}, max_cost: {{amount: '1', currency: §usd}}", "invalid_currency", "max_cost.currency"),
    (f"{AGENT}, max_cost: §{{amount: '1'}}", "missing_field", "max_cost.currency"),
    (f"§{TIMER}", "missing_field", "duration"),
    (f"{TIMER}, duration: 1s, until: §2026-01-31T09:00Z", "duration_and_until", "until"),
    (f"{TIMER}, duration: §-5", "invalid_duration", "duration"),
    (f"{TIMER}, delay: §a while", "invalid_duration", "delay"),
    (f"{TIMER}, config: {{delay: §a while}}", "invalid_duration", "config.delay"),
    (f"{TIMER}, config: {{§delay: 1s}}, duration: 1s", "said_twice", "config.delay"),
    (f"{TIMER}, duration: §true", "invalid_duration", "duration"),
    (f"{TIMER}, duration: §366d", "duration_too_long", "duration"),
    (f"{TIMER}, duration: §'{{{{ input. }}}}'", "expression_syntax", "duration"),
    (f"{TIMER}, duration: §'{{{{ steps.b.output }}}}'", "step_not_upstream", "duration"),
    (f"{TIMER}, until: §7", "wrong_type", "until"),
    (f"{TIMER}, until: §noon", "invalid_time", "until"),
    (f"{TIMER}, until: §2026-02-30T09:00Z", "invalid_time", "until"),
    (f"{TIMER}, until: §2026-01-31T09:00", "missing_field", "until"),
    (f"{TIMER}, until: §'0001-01-01T00:00+10:00'", "invalid_time", "until"),
    (f"{TIMER}, until: 2026-01-31T09:00, timezone: §Europe/Berln", "unknown_timezone", "timezone"),
    (f"§{GATE}", "missing_field", "routes"),
    (f"{GATE}, routes: §[]", "empty", "routes"),
    (f"{GATE}, routes: §{{b: true}}", "wrong_type", "routes"),
    (f"{GATE}, routes: [§b]", "wrong_type", "routes[0]"),
    (f"{GATE}, routes: [§{{target: b}}]", "missing_field", "routes[0].condition"),
    (f"{GATE}, routes: [§{{condition: true}}]", "missing_field", "routes[0].target"),
    (f"{GATE}, routes: [{{condition: true, target: §bb}}]", "unknown_step", "routes[0].target"),
    (f"{GATE}, routes: [{{condition: true, target: §g}}]", "goes_to_itself", "routes[0].target"),
    (f"{GATE}, depends_on: c, routes: [{{condition: true, next: §c}}]", "goes_backwards", "routes[0].next"),
    (f"{GATE}, routes: [{{condition: §7, target: b}}]", "wrong_type", "routes[0].condition"),
    (f"{GATE}, routes: [{{condition: §1 >, target: b}}]", "expression_syntax", "routes[0].condition"),
    (f"{GATE}, routes: [{{expression: §steps.b.output.x, target: b}}]", "step_not_upstream", "routes[0].expression"),
    (f"{GATE}, routes: [{{condition: §steps.g.output.x, target: b}}]", "step_not_upstream", "routes[0].condition"),
    (f"{GATE}, routes: [{{condition: true, target: b}}], default_route: §d", "unknown_step", "default_route"),
    (f"{GATE}, routes: [{{default: true, target: b}}], default_route: §c", "defaults_differ", "default_route"),
    (
        f"{GATE}, routes: [{{default: true, target: b}}, {{default: §true, target: c}}]",
        "many_defaults",
        "routes[1].default",
    ),
    (f"{GATE}, routes: [{{default: §often, target: b}}]", "wrong_type", "routes[0].default"),
    (f"{GATE}, gateway_type: §xor, routes: [{{condition: true, target: b}}]", "unknown_value", "gateway_type"),
]


@pytest.mark.parametrize(("text", "code", "path"), ERRORS)
def test_each_error_is_located(text: str, code: str, path: str) -> None:
    marked = step(text) if not text.startswith("§") else step(text[1:]).replace("- {", "- §{", 1)
    before = marked[: marked.index("§")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = problems_of(marked.replace("§", ""), "error")
    assert (code, f"steps[0].{path}", line, column) in [(p.code, p.path, p.line, p.column) for p in found]
    assert len({p.line for p in found}) == 1


WARNINGS = [
    (f"{AGENT}, §on_timeout: skip", "unused_field"),
    (f"{AGENT}, timeout: §2h, total_timeout: 1h", "timeout_exceeds_total"),
    (f"{AGENT}, retry: §{{delay: 5s}}", "nothing_retried"),
    (f"{AGENT}, retry: {{max_attempts: 3, backoff: linear, §multiplier: 3}}", "unused_field"),
    (f"{AGENT}, retry: {{max_attempts: 3, §max_retries: 3}}", "unknown_key"),
    (f"{AGENT}, on_error: {{action: skip_step, §target_step: b}}", "unused_field"),
    (f"{TIMER}, duration: 1s, §timezone: UTC", "unused_field"),
    (f"{TIMER}, until: 2026-01-31T09:00Z, §timezone: UTC", "unused_field"),
    (f"{TIMER}, config: {{delay: 1s, §note: 2s}}", "unknown_key"),
    (f"{GATE}, gateway_type: parallel, routes: [{{§condition: true, target: b}}]", "unused_field"),
    (f"{GATE}, gateway_type: parallel, routes: [{{target: b, §default: true}}]", "unused_field"),
    (f"{GATE}, gateway_type: parallel, routes: [{{target: b}}], §default_route: c", "unused_field"),
    (f"{GATE}, gateway_type: parallel, routes: [{{target: b}}, {{target: §b}}]", "duplicate_route"),
]


@pytest.mark.parametrize(("text", "code"), WARNINGS)
def test_what_has_no_effect_is_a_warning(text: str, code: str) -> None:
    marked = step(text)
    before = marked[: marked.index("§")]
    parsed = parse_definition(marked.replace("§", ""))
    found = [(p.code, p.column) for p in parsed.problems if p.severity == "warning"]
    assert found == [(code, len(before) - before.rfind("\n"))]
    assert parsed.definition is not None


@pytest.mark.parametrize(
    ("other", "canonical"),
    [
        (f"{AGENT}, on_error: skip", f"{AGENT}, on_error: skip_step"),
        (f"{AGENT}, on_error: {{action: skip_step}}", f"{AGENT}, on_error: skip_step"),
        (f"{AGENT}, on_error: {{action: fail}}", f"{AGENT}, on_error: fail_process"),
        (f"{AGENT}, on_error: {{action: goto_step, target_step: b}}", f"{AGENT}, on_error: {{goto_step: b}}"),
        (f"{AGENT}, on_error: {{target_step: b}}", f"{AGENT}, on_error: {{goto_step: b}}"),
        (f"{AGENT}, on_error: {{goto: b}}", f"{AGENT}, on_error: {{goto_step: b}}"),
        (f"{AGENT}, on_error: 'goto_step: b'", f"{AGENT}, on_error: {{goto_step: b}}"),
        (f"{AGENT}, timeout: 1s, on_timeout: {{goto_step: b}}", f"{AGENT}, timeout: 1s, on_timeout: {{goto: b}}"),
        (f"{AGENT}, timeout: 1s, on_timeout: 'goto: b'", f"{AGENT}, timeout: 1s, on_timeout: {{goto: b}}"),
        (f"{AGENT}, timeout: 1s, on_timeout: skip_step", f"{AGENT}, timeout: 1s, on_timeout: skip"),
        (
            f"{AGENT}, retry: {{max_attempts: 2, initial_delay: 5, backoff: exponential, backoff_multiplier: 3}}",
            f"{AGENT}, retry: {{max_attempts: 2, delay: 5s, backoff: exponential, multiplier: 3.0}}",
        ),
        (f"{TIMER}, delay: 90", f"{TIMER}, duration: 1m30s"),
        (f"{TIMER}, config: {{delay: 90}}", f"{TIMER}, duration: 1m30s"),
        (
            f"{TIMER}, config: {{until: 2026-01-31T09:00, timezone: UTC}}",
            f"{TIMER}, until: 2026-01-31T09:00, timezone: UTC",
        ),
        (
            f"{GATE}, conditions: [{{expression: true, next: b}}, {{expression: false, target_step: c}}]",
            f"{GATE}, routes: [{{condition: true, target: b}}, {{condition: false, target: c}}]",
        ),
    ],
)
def test_other_spellings_are_read_as_the_same_with_a_notice(other: str, canonical: str) -> None:
    parsed, wanted = parse_definition(step(other)), parse_definition(step(canonical))
    assert wanted.problems == []
    assert parsed.definition == wanted.definition
    assert {(p.code, p.severity) for p in parsed.problems} == {("alias", "notice")}


def test_unknown_zones_get_a_hint() -> None:
    (problem,) = problems_of(step(f"{TIMER}, until: 2026-01-31T09:00, timezone: Europe/Berln"), "error")
    assert problem.hint == "did you mean `Europe/Berlin`?"


def test_routes_and_gotos_count_for_what_is_upstream() -> None:
    source = """\
name: p
steps:
- {id: a, agent: w, message: x, on_error: {goto_step: c}}
- {id: g, type: gateway, depends_on: a, routes: [{condition: steps.a.output.x, target: b}], default_route: c}
- {id: b, agent: w, message: "{{ steps.a.output }} {{ steps.g.status }}"}
- {id: c, agent: w, message: "{{ steps.a.error.code }} {{ steps.g.output.chosen }}"}
"""
    # After an error of `a` the gateway is not reached, and `c` is; the gateway may lead there without an error.
    assert [(p.severity, p.code, p.path) for p in parse_definition(source).problems] == [
        ("warning", "may_be_null", "steps[3].message"),
        ("warning", "may_be_skipped", "steps[3].message"),
    ]


def test_branches_that_only_together_go_round_are_refused_where_they_close() -> None:
    source = """\
name: p
steps:
- {id: a, type: timer, duration: 1s, on_error: {goto_step: b}}
- {id: b, type: timer, duration: 1s, on_error: {goto_step: c}}
- {id: c, type: timer, duration: 1s, on_error: {goto_step: a}}
- {id: d, type: timer, duration: 1s, depends_on: c, on_timeout: {goto: e}, timeout: 1s}
- {id: e, agent: w, message: "{{ steps.a.status }}"}
"""
    assert [(p.code, p.path) for p in parse_definition(source).problems] == [
        ("goes_backwards", "steps[2].on_error.goto_step")
    ]


def test_an_unknown_target_is_told_beside_a_cycle() -> None:
    source = """\
name: p
steps:
- {id: a, type: timer, duration: 1s, depends_on: b, on_error: {goto_step: zz}}
- {id: b, type: timer, duration: 1s, depends_on: a}
"""
    assert {p.code for p in problems_of(source, "error")} == {"dependency_cycle", "unknown_step"}


@pytest.mark.parametrize(
    ("defaults", "code", "path"),
    [
        ("{timeout: 0}", "invalid_duration", "defaults.timeout"),
        ("{retry: {max_attempts: 0}}", "out_of_range", "defaults.retry.max_attempts"),
        (
            "{retry: {max_attempts: 2, retry_on: [x], give_up_on: [x]}}",
            "retry_contradicts",
            "defaults.retry.give_up_on[0]",
        ),
        ("{roles: {executor: w, monitors: [w]}}", "duplicate_role", "defaults.roles.monitors[0]"),
        ("{roles: {executor: 7}}", "wrong_type", "defaults.roles.executor"),
        ("[]", "wrong_type", "defaults"),
    ],
)
def test_defaults_are_checked(defaults: str, code: str, path: str) -> None:
    source = f"name: p\ndefaults: {defaults}\nsteps:\n{OTHERS}"
    assert [(p.code, p.path) for p in problems_of(source, "error")] == [(code, path)]


def test_unknown_keys_of_defaults_are_told() -> None:
    source = f"name: p\ndefaults: {{timeouts: 5m}}\nsteps:\n{OTHERS}"
    assert [(p.code, p.hint) for p in problems_of(source, "error")] == [("unknown_key", "did you mean `timeout`?")]


def test_a_default_timeout_is_one_to_act_on() -> None:
    source = "name: p\ndefaults: {timeout: 5m}\nsteps:\n- {id: a, agent: w, message: x, on_timeout: skip}\n"
    assert parse_definition(source).problems == []
    timer = source + "- {id: t, type: timer, duration: 1s, on_timeout: skip}\n"
    assert [(p.code, p.path) for p in problems_of(timer, "warning")] == [("unused_field", "steps[1].on_timeout")]


def test_an_agent_given_by_default_is_told_of_once() -> None:
    source = "name: p\ndefaults: {roles: {executor: w}}\nsteps:\n- {id: a, message: x}\n- {id: b, message: x}\n"
    parsed = parse_definition(source)
    assert parsed.problems == []
    assert [p.path for p in agent_problems(parsed, {})] == ["defaults.roles.executor"]
