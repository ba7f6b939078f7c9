"""Values that may be null where null fails: a warning, which a fallback or a guard ends."""

import pytest

from domain.language import parse_definition

OPTIONAL = """input:
  text: {type: string}
  whole: {type: integer}
  list: {type: array}
  part: {type: object}
"""


@pytest.mark.parametrize(
    "step",
    [
        "type: timer, duration: '{{ input.whole }}'",
        "type: timer, until: '{{ input.text }}'",
        "type: notification, channel: webhook, url: '{{ input.text }}', message: x",
        "type: notification, channel: email, recipients: '{{ input.list }}', message: x",
        "type: notification, channel: email, recipients: ['{{ input.text }}'], message: x",
        "type: sub_process, for_each: {items: '{{ input.list }}'}, steps: [{id: i, agent: w, message: x}]",
        "agent: w, message: 'For {{ input.part.name }}'",
        "agent: w, message: 'For {{ input.list[0] }}'",
        "agent: w, message: x, parameters: {name: '{{ input.part.name }}'}",
        "type: human_approval, title: '{{ input.part.name }}'",
    ],
)
def test_null_for_what_takes_none_is_a_warning_and_a_fallback_or_a_guard_ends_it(step: str) -> None:
    def warnings(text: str, more: str = "", declared: str = OPTIONAL) -> list[tuple[str, str]]:
        source = f"name: p\n{declared}steps:\n- {{id: a, {text}{more}}}\n"
        return [(each.severity, each.code) for each in parse_definition(source).problems]

    read = step.split("{{ ")[1].split(" }}")[0]
    field = read.removesuffix(".name").removesuffix("[0]")
    assert warnings(step) == [("warning", "may_be_null")]
    assert warnings(step.replace(read, f"{read} || trigger.payload")) == []
    assert warnings(step, f", condition: {field} != null") == []
    assert warnings(step, declared=OPTIONAL.replace("}", ", required: true}")) == []


@pytest.mark.parametrize(
    ("priority", "codes"), [("{{ input.whole }}", ["may_be_null"]), ("{{ input.whole || 0 }}", [])]
)
def test_a_priority_that_may_be_null_is_a_warning(priority: str, codes: list[str]) -> None:
    source = f'name: p\n{OPTIONAL}priority: "{priority}"\nsteps: [{{id: a, agent: w, message: x}}]\n'
    assert [each.code for each in parse_definition(source).problems] == codes


@pytest.mark.parametrize(
    "timer",
    [
        "until: '{{ execution.started_at }}'",
        "until: '{{ steps.a.completed_at }}'",
        "duration: '{{ steps.a.duration }}'",
    ],
)
def test_the_times_of_what_has_run_are_there(timer: str) -> None:
    source = f"name: p\nsteps:\n- {{id: a, agent: w, message: x}}\n- {{id: b, type: timer, depends_on: a, {timer}}}\n"
    assert parse_definition(source).problems == []
