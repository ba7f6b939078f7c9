"""Steps that call another process: what is wrong with one by itself, and how it is planned."""

from uuid import UUID

import pytest

from domain.identity import process_id
from domain.language import parse_definition
from domain.language.expressions import Scope
from domain.processes.plan import Limits, PlannedSubProcess
from domain.refusal import Problem
from tests.definitions import plan_of

CALL = "id: s, type: sub_process"
SCOPE: Scope = {"input": {"n": 3}, "steps": {}}


def step(text: str) -> str:
    return f"name: p\nsteps:\n- {{{text}}}\n- {{id: b, agent: w, message: x}}\n"


def placed(marked: str) -> tuple[int, int]:
    before = marked[: marked.index("§")]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


# Each `§` marks where the problem is; it is taken out before reading.
@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (f"{CALL}, process: §Review", "invalid_name", "process"),
        (f"{CALL}, process: §'{{{{ input.which }}}}'", "invalid_name", "process"),
        (f"{CALL}, process: §7", "wrong_type", "process"),
        (f"{CALL}, process: q, §process_name: q", "said_twice", "process_name"),
        (f"{CALL}, process: q, version: §0", "out_of_range", "version"),
        (f"{CALL}, process: q, version: §2147483648", "out_of_range", "version"),
        (f"{CALL}, process: q, version: §'2'", "wrong_type", "version"),
        (f"{CALL}, process: q, input_mapping: §[]", "wrong_type", "input_mapping"),
        (f"{CALL}, process: q, input_mapping: §'{{{{ input }}}}'", "wrong_type", "input_mapping"),
        (
            f"{CALL}, process: q, input_mapping: {{x: [§'{{{{ steps.b.output }}}}']}}",
            "step_not_upstream",
            "input_mapping.x[0]",
        ),
        (f"{CALL}, process: q, input_mapping: {{x: §'{{{{ input.'}}", "expression_syntax", "input_mapping.x"),
        (f"{CALL}, process: q, output_key: §a b", "invalid_name", "output_key"),
        (f"{CALL}, process: q, wait: §sometimes", "wrong_type", "wait"),
        (f"{CALL}, process: q, on_parent_close: §terminate", "unknown_value", "on_parent_close"),
    ],
)
def test_each_error_is_located(text: str, code: str, path: str) -> None:
    marked = step(text)
    found = [problem for problem in parse_definition(marked.replace("§", "")).problems if problem.severity == "error"]
    assert [(p.code, p.path, (p.line, p.column)) for p in found] == [(code, f"steps[0].{path}", placed(marked))]


def test_a_process_is_required() -> None:
    (problem,) = parse_definition(step(CALL)).problems
    assert (problem.code, problem.path) == ("missing_field", "steps[0].process")


@pytest.mark.parametrize("field", ["output_key: x", "timeout: 1s", "total_timeout: 1s", "retry: {max_attempts: 2}"])
def test_a_step_that_does_not_wait_has_no_use_for_what_comes_later(field: str) -> None:
    marked = step(f"{CALL}, process: q, wait: false, §{field}")
    (problem,) = parse_definition(marked.replace("§", "")).problems
    assert (problem.code, problem.severity) == ("unused_field", "warning")
    assert (problem.line, problem.column) == placed(marked)


def test_other_spellings_are_read_as_the_same_with_a_notice() -> None:
    other = parse_definition(step(f"{CALL}, process_name: q, wait_for_completion: false"))
    assert other.definition == parse_definition(step(f"{CALL}, process: q, wait: false")).definition
    assert [(p.code, p.severity) for p in other.problems] == [("alias", "notice")] * 2


def test_what_is_said_is_planned_with_the_types_of_the_input_kept() -> None:
    plan = plan_of(
        step(
            f"{CALL}, process: q, version: 4, output_key: o, wait: true, on_parent_close: abandon, "
            "input_mapping: {n: '{{ input.n }}', text: 'n: {{ input.n }}', fixed: [1, null]}"
        ),
        limits=Limits(3, 7),
    )
    planned = plan.steps["s"]
    assert isinstance(planned, PlannedSubProcess)
    assert (planned.process, planned.process_id, planned.version) == ("q", process_id("q"), 4)
    assert (planned.output_key, planned.wait, planned.on_parent_close) == ("o", True, "abandon")
    assert planned.input.render(SCOPE) == {"n": 3, "text": "n: 3", "fixed": [1, None]}
    assert plan.limits == Limits(max_depth=3, max_descendants=7)


def test_nothing_said_means_the_latest_version_waited_for_and_called_off_with_its_caller() -> None:
    planned = plan_of(step(f"{CALL}, process: q")).steps["s"]
    assert isinstance(planned, PlannedSubProcess)
    assert isinstance(planned.process_id, UUID)
    assert (planned.version, planned.output_key, planned.wait, planned.on_parent_close) == (None, None, True, "cancel")
    assert planned.input.render(SCOPE) == {}


def test_defaults_hold_for_it() -> None:
    written = (
        "name: p\ndefaults: {timeout: 5m, retry: {max_attempts: 3}}\nsteps: [{id: s, type: sub_process, process: q}]"
    )
    planned = plan_of(written).steps["s"]
    assert planned.timeout is not None
    assert planned.retry is not None


@pytest.mark.parametrize(
    ("written", "code"), [("0", "out_of_range"), ("1000001", "out_of_range"), ("ten", "wrong_type")]
)
def test_max_running_is_a_number_of_executions(written: str, code: str) -> None:
    found: list[Problem] = parse_definition(f"name: p\nmax_running: {written}\nsteps: [{CALL_STEP}]").problems
    assert [(p.code, p.path, p.line, p.column) for p in found] == [(code, "max_running", 2, 14)]
    plan = plan_of(f"name: p\nmax_running: 1000000\nsteps: [{CALL_STEP}]")
    assert (plan.max_running, plan_of(f"name: p\nsteps: [{CALL_STEP}]").max_running) == (1_000_000, None)


CALL_STEP = f"{{{CALL}, process: q}}"
