"""The laws of change sets: the text after one has the roles of the model, and everything else of it stays."""

import itertools
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.language import parse_definition
from domain.language.editing.edits import document_of
from domain.roles.changes import RoleAssignment, RoleChanges, RoleRemoval, change_problems, changed_roles
from domain.roles.effective import EXECUTOR, EffectiveRoles, effective_roles, placed_steps
from domain.roles.writing import write_roles

AGENTS = ["ann", "bob", "cyd", "dee", "team:claims"]
NAMES = st.sampled_from(AGENTS[:4])
COMMENTS = st.sampled_from(["", "", "  # since May", " # ünï {[,:'\""])
QUOTES = st.sampled_from(["{}", "{}", "'{}'", '"{}"'])


@st.composite
def lists(draw: Any, indent: int, key: str) -> list[str]:
    """Draw the lines of a list of agents: in brackets, a line each, one alone or empty."""
    agents = draw(st.lists(st.sampled_from(AGENTS), max_size=3, unique=True))
    shown = [draw(QUOTES).format(agent) for agent in agents]
    kind = draw(st.sampled_from(["flow", "block", "alone", "nothing"]))
    if kind == "nothing":
        return [f"{' ' * indent}{key}:{draw(COMMENTS)}"]
    if kind == "block" and shown:
        own = draw(st.sampled_from([0, 2]))
        return [
            f"{' ' * indent}{key}:{draw(COMMENTS)}",
            *(f"{' ' * (indent + own)}- {agent}{draw(COMMENTS)}" for agent in shown),
        ]
    if kind == "alone" and len(shown) == 1:
        return [f"{' ' * indent}{key}: {shown[0]}{draw(COMMENTS)}"]
    return [f"{' ' * indent}{key}: [{', '.join(shown)}]{draw(COMMENTS)}"]


@st.composite
def roles(draw: Any, indent: int, executor: bool) -> list[str]:
    """Draw the lines of `roles`."""
    keys = draw(st.lists(st.sampled_from(["monitors", "informed"]), unique=True, max_size=2))
    lines = [f"{' ' * (indent + 2)}executor: {draw(NAMES)}{draw(COMMENTS)}"] if executor else []
    for key in keys:
        lines += draw(lists(indent + 2, key))
    return [f"{' ' * indent}roles:{draw(COMMENTS)}", *lines] if lines else []


@st.composite
def steps(draw: Any, id: str, indent: int) -> list[str]:
    """Draw the lines of a step, which may hold others."""
    margin = " " * indent
    kinds = ["agent_task", "agent_task", "implied", "timer", "gateway", "human_approval"]
    kind = draw(st.sampled_from([*kinds, "sub_process"] if indent < 8 else kinds))
    lines = [f"{margin}- id: {id}{draw(COMMENTS)}"]
    lines += [] if kind == "implied" else [f"{margin}  type: {kind}"]
    if kind in ("agent_task", "implied"):
        lines += [f"{margin}  message: |", f"{margin}    Do # it", ""]
        by = draw(st.sampled_from(["agent", "roles", "neither"]))
        lines += [f"{margin}  agent: {draw(QUOTES).format(draw(NAMES))}{draw(COMMENTS)}"] if by == "agent" else []
        lines += draw(roles(indent + 2, by == "roles"))
    else:
        lines += draw(roles(indent + 2, False))
    if kind == "sub_process":
        lines += [f"{margin}  steps:", *draw(steps("s0", indent + 4)), *draw(steps("inner", indent + 4))]
    return lines + draw(st.sampled_from([[], [f"{margin}  # the end"], [""]]))


@st.composite
def texts(draw: Any) -> str:
    """Draw the text of a definition, with or without errors in its roles."""
    lines = ["# a process", "name: drawn"]
    defaults = draw(roles(2, draw(st.booleans())))
    lines += ["defaults:", *defaults] if defaults else []
    lines.append("steps:")
    for number in range(draw(st.integers(1, 4))):
        lines += draw(steps(f"s{number}", 2))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return str(newline.join(lines) + newline * draw(st.integers(0, 1)))


@st.composite
def change_sets(draw: Any, before: EffectiveRoles) -> RoleChanges:
    """Draw a change set without problems."""
    assign, revoke, said = [], [], set()
    executors = set()
    for _ in range(draw(st.integers(0, 6))):
        if not (steps := [step for step in before.steps if step.may]):
            break
        step = draw(st.sampled_from(steps))
        agent = draw(st.sampled_from(AGENTS))
        if (step.step, agent) in said:
            continue
        said.add((step.step, agent))
        role = draw(st.sampled_from([None, *step.may]))
        if role is None:
            revoke.append(RoleRemoval(step.step, agent))
        elif not (agent.startswith("team:") and role != "monitor") and (role != EXECUTOR or step.step not in executors):
            executors |= {step.step} if role == EXECUTOR else set()
            assign.append(RoleAssignment(step.step, agent, role))
    return RoleChanges(assign, revoke)


def without_roles(text: str) -> Any:
    """Return the document of a text, without what states roles."""
    document: Any = document_of(text)
    todo = [document.get("defaults") or {}, document]
    while todo:
        part = todo.pop()
        for key in ("roles", "agent"):
            part.pop(key, None)
        todo += part.get("steps", [])
    return document


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_text_after_a_change_set_has_the_roles_of_the_model(data: st.DataObject) -> None:
    text = data.draw(texts())
    parsed = parse_definition(text)
    assert parsed.root is not None
    before = effective_roles(parsed.root)
    changes = data.draw(change_sets(before))
    assert change_problems(before, changes) == []

    expected = changed_roles(before.roles, changes)
    after = write_roles(text, parsed.root, before, expected)

    found = effective_roles(parse_definition(after).root)
    assert found.roles == expected
    for step in found.steps:
        count = sum(role == EXECUTOR for (of, _), role in expected.items() if of == step.step)
        assert count == 1 or (count == 0 and (not step.executor_required or step in found.without_executor))
    assert without_roles(after) == without_roles(text)
    touched = {each.step for each in (*changes.assign, *changes.revoke)}
    ids = [id for id, _ in placed_steps(parsed.root)]
    for id, was, becomes in zip(["", *ids], parts(text), parts(after), strict=True):
        assert id in touched or was == becomes


def parts(text: str) -> list[str]:
    """Return the characters before the first step, and those of each step before the steps inside it, as they stand."""
    first, *steps = re.split(r"(?m)^(?= *- id: )", text)
    return [first, *(own_lines(step) for step in steps)]


def own_lines(step: str) -> str:
    """Return a step without the lines that follow at the end of one around it."""
    margin = step.index("-")
    lines = step.splitlines(keepends=True)
    own = itertools.takewhile(lambda line: not line.strip() or line[: margin + 1].isspace(), lines[1:])
    return "".join([lines[0], *own]).rstrip("\r\n")
