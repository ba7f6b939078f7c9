"""The effective roles of a text: its steps' own, those of the defaults, and what becomes of texts with errors."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from domain.language import parse_definition, print_definition
from domain.language.types.definition import Definition
from domain.language.types.steps import AnyStep, SubProcess
from domain.roles.effective import EffectiveRoles, RoleCell, effective_roles
from tests.domain.language.drawn_definitions import definitions

CLAIM = """
name: claim
defaults: {roles: {executor: clerk, monitors: [supervisor], informed: [archive]}}
steps:
  - {id: read, message: Read the claim}
  - {id: decide, agent: supervisor, message: Decide, depends_on: read}
  - {id: route, type: gateway, depends_on: decide, routes: [{condition: "true", target: ask}]}
  - {id: ask, type: human_approval, title: Right?, roles: {informed: [team:claims, clerk]}}
"""


def roles(text: str) -> EffectiveRoles:
    return effective_roles(parse_definition(text).root)


def test_a_step_takes_from_the_defaults_what_it_does_not_state() -> None:
    assert roles(CLAIM).cells == (
        RoleCell("read", "clerk", "executor", own=False),
        RoleCell("read", "supervisor", "monitor", own=False),
        RoleCell("read", "archive", "informed", own=False),
        RoleCell("decide", "supervisor", "executor"),
        RoleCell("decide", "archive", "informed", own=False),
        RoleCell("ask", "team:claims", "informed"),
        RoleCell("ask", "clerk", "informed"),
        RoleCell("ask", "supervisor", "monitor", own=False),
    )


def test_a_gateway_has_no_roles_and_only_work_needs_an_executor() -> None:
    assert [(step.step, step.may, step.executor_required) for step in roles(CLAIM).steps] == [
        ("read", ("executor", "monitor", "informed"), True),
        ("decide", ("executor", "monitor", "informed"), True),
        ("route", (), False),
        ("ask", ("monitor", "informed"), False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "name: p\nsteps:\n  - {id: a, type: agent_task, message: x, roles: {monitors: m}}",
        "name: p\nsteps:\n  - {id: a, type: agent_task, agent: '', message: x, roles: {monitors: m}}",
        "name: p\nsteps:\n  - {id: a, type: agent_task, agent: [1], message: x, roles: {monitors: [m, 7, {}]}}",
    ],
)
def test_a_step_without_an_executor_is_found_whatever_else_is_wrong(text: str) -> None:
    found = roles(text)
    assert [(step.step, step.place) for step in found.without_executor] == [("a", "steps[0]")]
    assert found.roles == {("a", "m"): "monitor"}


@pytest.mark.parametrize("text", ["", "name: p", "name: p\nsteps: 7", "[]", "name: p\nsteps: [7, {id: 1}, {id: a}]"])
def test_what_is_no_definition_has_no_roles(text: str) -> None:
    assert roles(text) == EffectiveRoles()


def test_the_roles_keyword_names_the_same_executor_as_the_agent_field() -> None:
    by_role = "name: p\nsteps:\n  - {id: a, message: x, roles: {executor: e, informed: [e, i]}}"
    assert roles(by_role).cells == (RoleCell("a", "e", "executor"), RoleCell("a", "i", "informed"))


def test_a_step_inside_another_one_has_roles_of_its_own_and_those_of_the_defaults() -> None:
    body = """
  - id: review
    type: sub_process
    roles: {informed: [boss]}
    steps:
    - {id: read, message: Read again, roles: {monitors: [auditor]}}
"""
    found = roles(CLAIM.rstrip() + body)
    assert [step.step for step in found.steps][-2:] == ["review", "review/read"]
    assert found.steps[-1].place == "steps[4].steps[0]"
    assert [cell for cell in found.cells if cell.step == "review/read"] == [
        RoleCell("review/read", "clerk", "executor", own=False),
        RoleCell("review/read", "auditor", "monitor"),
        RoleCell("review/read", "archive", "informed", own=False),
    ]


def placed(steps: tuple[AnyStep, ...], around: str = "") -> Iterator[tuple[str, AnyStep]]:
    """Each step with the ids of those around it."""
    for step in steps:
        yield around + step.id, step
        if isinstance(step, SubProcess) and step.steps is not None:
            yield from placed(step.steps, f"{around}{step.id}/")


@given(definitions())
@settings(max_examples=40)
def test_the_roles_of_a_text_are_those_of_its_definition(definition: Definition) -> None:
    parsed = parse_definition(print_definition(definition))
    assert parsed.definition is not None
    expected = {}
    for id, step in placed(parsed.definition.steps):
        of = parsed.definition.roles_of(step)
        given_roles = [] if step.type == "gateway" else [("monitor", of.monitors), ("informed", of.informed)]
        named = [("executor", (of.executor,) if of.executor else ()), *given_roles]
        for role, agents in named:
            for agent in agents:
                expected.setdefault((id, agent), role)
    assert effective_roles(parsed.root).roles == expected
