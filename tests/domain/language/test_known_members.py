"""Members of outputs whose shape is known, kinds that cannot be compared, and outputs that may not be there."""

import pytest

from domain.language import parse_definition

AGENT = "agent: w, message: x"
SCHEMA = (
    "output_schema: {type: object, required: [score, note], properties: {score: {type: number}, note: {type: string}}"
)
STEPS = {
    "approval": "{id: a, type: human_approval, on_error: skip_step}",
    "gateway": "{id: a, type: gateway, routes: [{condition: 'input.n > 1', target: z}], default_route: z}",
    "timer": "{id: a, type: timer, duration: 1s}",
    "notification": "{id: a, type: notification, channel: slack, message: x}",
    "keyed": "{id: a, type: sub_process, process: q, output_key: got}",
    "fired": "{id: a, type: sub_process, process: q, wait: false}",
    "open": f"{{id: a, {AGENT}, {SCHEMA}}}}}",
    "closed": f"{{id: a, {AGENT}, {SCHEMA}, additionalProperties: false}}}}",
    "agent": f"{{id: a, {AGENT}}}",
}


def problems(step: str, *, message: str = "x", condition: str = "true") -> list[tuple[str, str]]:
    source = (
        "name: p\ninput: {n: {type: number, required: true}, maybe: {type: string}}\nsteps:\n"
        f"- {STEPS[step]}\n- {{id: z, {AGENT}}}\n"
        f'- {{id: b, agent: w, depends_on: a, message: "{message}", condition: "{condition}"}}\n'
    )
    found = parse_definition(source).problems
    return [(problem.severity, problem.code) for problem in found if problem.path.startswith("steps[2]")]


@pytest.mark.parametrize(
    ("step", "path", "severity"),
    [
        ("approval", "steps.a.output.text", "error"),
        ("approval", "steps.a.output.coment | default('none')", "error"),
        ("gateway", "steps.a.output.chosen.first", "error"),
        ("gateway", "steps.a.output.way || 'x'", "error"),
        ("timer", "steps.a.output.fired_at", "error"),
        ("notification", "steps.a.output.ids", "error"),
        ("notification", "steps.a.output.delivered[0].time", "error"),
        ("keyed", "steps.a.output.goo", "error"),
        ("fired", "steps.a.output.id", "error"),
        ("open", "steps.a.output.scor", "error"),
        ("open", "steps.a.output.other", "warning"),
        ("closed", "steps.a.output.other", "error"),
        ("agent", "steps.a.error.reason", "error"),
        ("agent", "steps.a.status.x", None),
    ],
)
def test_a_member_that_is_not_there_is_told_with_its_place(step: str, path: str, severity: str | None) -> None:
    expected = [] if severity is None else [(severity, "unknown_member")]
    assert problems(step, message=f"{{{{ {path} }}}}") == expected


@pytest.mark.parametrize(
    ("step", "path"),
    [
        ("approval", "steps.a.output.decision"),
        ("gateway", "steps.a.output.chosen[0]"),
        ("notification", "steps.a.output.delivered[0].id"),
        ("keyed", "steps.a.output.got.anything.at[0].all"),
        ("fired", "steps.a.output.execution_id"),
        ("open", "steps.a.output.score"),
        ("agent", "steps.a.output.anything[3].deep"),
    ],
)
def test_a_member_that_may_be_there_is_fine(step: str, path: str) -> None:
    assert problems(step, message=f"{{{{ {path} }}}}") == []


@pytest.mark.parametrize(
    ("step", "condition", "code"),
    [
        ("approval", "steps.a.output.decision == 1", "type_mismatch"),
        ("approval", "steps.a.output.decision || 1 > 2", "type_mismatch"),
        ("open", "steps.a.output.score == 'high'", "type_mismatch"),
        ("open", "(steps.a.output.score | default('none')) > 3", "type_mismatch"),
        ("agent", "input.n == 'x'", "type_mismatch"),
        ("agent", "input.maybe > 3", "type_mismatch"),
        ("agent", "'x' in input.n", "type_mismatch"),
        ("agent", "steps.a.status < [1]", "type_mismatch"),
        ("agent", "input.n", "not_a_boolean"),
        ("agent", "input.n + 1", "not_a_boolean"),
        ("agent", "steps.a.status | upper", "not_a_boolean"),
        ("agent", "input.n > 1 and input.maybe == null", None),
        ("agent", "input.maybe == null or input.maybe == 'x'", None),
        ("agent", "steps.a.output == 1", None),
        ("agent", "steps.a.output", None),
        ("open", "steps.a.output.score >= input.n", None),
        ("agent", "(input.maybe || 'none') != 'x'", None),
        ("gateway", "'z' in steps.a.output.chosen", None),
    ],
)
def test_what_can_never_be_compared_is_an_error_of_the_definition(step: str, condition: str, code: str | None) -> None:
    assert problems(step, condition=condition) == ([] if code is None else [("error", code)])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("steps.ask.decision", "steps.ask.output.decision"),
        ("steps.ask.output.comments", "steps.ask.output.comment"),
        ("steps.ask.output.decided_by", "steps.ask.output.by"),
        ("steps.ask.output.approved_by | upper", "steps.ask.output.by | upper"),
        ("steps.way.output.route", "steps.way.output.chosen[0]"),
        ("steps['ask'].output.comments", "steps.ask.output.comment"),
    ],
)
def test_other_names_of_members_are_read_as_the_ones_that_are_there(written: str, read: str) -> None:
    parsed = parse_definition(
        "name: p\nsteps:\n- {id: ask, type: human_approval}\n"
        "- {id: way, type: gateway, routes: [{condition: 'true', target: z}], default_route: z}\n"
        f'- {{id: z, agent: w, depends_on: ask, message: "A {{{{ {written} }}}} and {{{{ {written} }}}}."}}\n'
    )
    assert [(problem.severity, problem.code) for problem in parsed.problems] == [("notice", "alias")] * 2
    assert parsed.definition is not None
    assert parsed.definition.steps[2].message == f"A {{{{ {read} }}}} and {{{{ {read} }}}}."  # type: ignore[union-attr]


SKIPPED = [
    ("{id: a, agent: w, message: x, condition: 'input.n > 1'}", "its condition may be false"),
    ("{id: a, agent: w, message: x, on_error: skip_step}", "an error may skip it"),
    ("{id: a, agent: w, message: x, timeout: 1s, on_timeout: skip}", "a timeout may skip it"),
    ("{id: a, agent: w, message: x, on_error: {goto_step: b}}", "an error may lead past it"),
    ("{id: a, agent: w, message: x, condition: true}", None),
    ("{id: a, agent: w, message: x, on_error: fail_process}", None),
    ("{id: a, type: human_approval, on_error: skip_step}", None),
    ("{id: a, type: human_approval, deadline: 1d, on_deadline: skip}", None),
    ("{id: a, type: human_approval, condition: 'input.n > 1'}", "its condition may be false"),
]


@pytest.mark.parametrize(("step", "reason"), SKIPPED)
@pytest.mark.parametrize("caught", [False, True])
def test_an_output_that_may_not_be_there_is_a_warning_where_nothing_catches_it(
    step: str, reason: str | None, caught: bool
) -> None:
    path = "steps.a.output | default('none')" if caught else "steps.a.output"
    found = parse_definition(
        f"name: p\ninput: {{n: {{type: number, required: true}}}}\nsteps:\n- {step}\n"
        f'- {{id: b, agent: w, depends_on: a, message: "{{{{ {path} }}}}"}}\noutputs: {{x: "{{{{ {path} }}}}"}}\n'
    ).problems
    expected = [] if caught or reason is None else [("warning", "may_be_skipped")] * 2
    assert [(problem.severity, problem.code) for problem in found] == expected
    assert all(str(reason) in problem.message for problem in found)


GATE = "{id: g, type: gateway, routes: [{condition: 'input.n > 1', target: a}], default_route: b}"


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        # Which follows `a` alone does not run without it.
        ("{id: c, agent: w, depends_on: a, message: '{{ steps.a.output }}'}", False),
        ("{id: c, agent: w, depends_on: [a, b], message: '{{ steps.a.output }}'}", True),
        ("{id: c, agent: w, depends_on: [a, b], message: '{{ steps.a.output || steps.b.output }}'}", False),
        # Of the two one is always taken, and so is what follows both.
        ("{id: c, agent: w, depends_on: [a, b], message: '{{ steps.g.output.chosen }}'}", False),
    ],
)
def test_a_branch_that_is_not_taken_counts_where_another_one_leads_on(reader: str, told: bool) -> None:
    found = parse_definition(
        f"name: p\ninput: {{n: {{type: number, required: true}}}}\nsteps:\n- {GATE}\n"
        f"- {{id: a, {AGENT}}}\n- {{id: b, {AGENT}}}\n"
        f"- {reader}\n- {{id: last, agent: w, depends_on: c, message: '{{{{ steps.c.status }}}}'}}\n"
    ).problems
    assert [problem.code for problem in found] == (["may_be_skipped"] if told else [])
