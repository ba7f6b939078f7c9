"""Which processes a definition calls, what is wrong with them, and whether one of them leads back to it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language import parse_definition
from domain.processes.callees import CallGraph, calls_in
from domain.processes.calling import member_problems, process_problems
from domain.processes.process import Process, VersionContent
from domain.refusal import Problem

Written = dict[str, list[str]]


def document(name: str, calls: list[str], **more: Any) -> dict[str, Any]:
    """A canonical document of a process that calls others, ``q`` or in a version ``q@2``."""
    steps: list[dict[str, Any]] = [{"id": "x", "type": "agent_task", "agent": "w", "message": "x"}]
    for at, call in enumerate(calls):
        process, _, version = call.partition("@")
        steps.append({"id": f"s{at}", "type": "sub_process", "process": process})
        steps[-1] |= {"version": int(version)} if version else {}
    return {"name": name, "steps": steps, **more}


def process(name: str, *versions: list[str], status: Any = "published", **more: Any) -> Process:
    """A process by what each of its versions calls."""
    made = {at: VersionContent("", document(name, calls, **more)) for at, calls in enumerate(versions, start=1)}
    return Process(name, status, None, made, latest=len(made))


def walked(name: str, calls: list[str], known: list[Process]) -> tuple[CallGraph, list[set[str]]]:
    """All that is looked up, and what was asked for at each level."""
    there = {each.name: each for each in known}
    calls_ = CallGraph(name, calls_in(document(name, calls)))
    levels = []
    while names := calls_.unresolved:
        levels.append(names)
        calls_.resolve_level({name: there[name] for name in names if name in there})
    return calls_, levels


def problems_of(
    source: str, *known: Process, severity: str = "error", check: Callable[..., list[Problem]] = process_problems
) -> list[Problem]:
    parsed = parse_definition(source)
    there = {each.name: each for each in known}
    calls = CallGraph(parsed.name or "", [(use.name, use.version) for use in parsed.processes])
    while names := calls.unresolved:
        calls.resolve_level({name: there[name] for name in names if name in there})
    return check(parsed, calls, severity)


def press(step: str) -> str:
    return f"name: press\nsteps:\n- {{id: s, type: sub_process, {step}}}\n"


def test_every_process_is_looked_up_once_level_by_level() -> None:
    known = [process("b", ["d"]), process("c", ["d", "b"]), process("d", ["e"]), process("e", [])]
    calls, levels = walked("a", ["b", "c", "b"], known)
    assert levels == [{"b", "c"}, {"d"}, {"e"}]
    assert sorted(calls.names) == ["b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("known", "way"),
    [
        ([process("review", ["press"])], "press → review → press"),
        ([process("review", ["desk"]), process("desk", ["print", "press"])], "press → review → desk → press"),
        ([process("review", [], ["desk@1"]), process("desk", ["press"], [])], "press → review → desk@1 → press"),
        # An old version of another process that calls this one by its name alone gets the new version of this one.
        ([process("review", ["press"], ["review@1"])], "press → review → review@1 → press"),
    ],
)
def test_a_process_that_would_come_back_to_itself_is_refused_with_the_way(known: list[Process], way: str) -> None:
    (problem,) = problems_of(press("process: review"), *known, process("print", []))
    assert (problem.code, problem.path, problem.line, problem.column) == (
        "sub_process_cycle",
        "steps[0].process",
        3,
        39,
    )
    assert way in problem.message


def test_a_process_may_not_call_itself_but_an_old_version_of_itself_that_calls_nothing() -> None:
    (problem,) = problems_of(press("process: press"))
    assert (problem.code, problem.path) == ("sub_process_cycle", "steps[0].process")
    assert "press → press" in problem.message
    before = process("press", [], ["press@1"], ["review"])
    assert problems_of(press("process: press, version: 2"), before) == []
    (problem,) = problems_of(press("process: press, version: 3"), before, process("review", ["press"]))
    assert "press → press@3 → review → press" in problem.message


def test_what_archived_processes_call_does_not_matter() -> None:
    known = process("review", ["desk"]), process("desk", ["press"], status="archived")
    assert problems_of(press("process: review"), *known) == []


def test_a_long_way_is_shown_by_its_ends() -> None:
    known = [process(f"p{at}", [f"p{at + 1}"]) for at in range(30)] + [process("p30", ["press"])]
    (problem,) = problems_of(press("process: p0"), *known)
    assert problem.message.endswith("press → p0 → p1 → p2 → … → p29 → p30 → press")


@pytest.mark.parametrize(
    ("step", "known", "code", "path", "hint"),
    [
        ("process: §reveiw, version: 2", [], "unknown_process", "process", "publish it first"),
        ("process: §review", [Process("review", "draft", "")], "process_not_published", "process", "publish it first"),
        ("process: §review", [process("review", [], status="archived")], "process_archived", "process", ""),
        (
            "process: review, version: §3",
            [process("review", [], [])],
            "unknown_version",
            "version",
            "the latest one is 2",
        ),
    ],
)
def test_what_cannot_be_called_is_located(step: str, known: list[Process], code: str, path: str, hint: str) -> None:
    marked = press(step)
    source = marked.replace("§", "")
    assert parse_definition(source).problems == []
    column = len(marked.splitlines()[2].split("§")[0]) + 1
    expected = Problem(code, problems_of(source, *known)[0].message, f"steps[0].{path}", 3, column, hint)
    assert problems_of(source, *known) == [expected]
    assert {p.severity for p in problems_of(source, *known, severity="warning")} == {"warning"}


def test_a_name_like_another_one_that_is_called_is_asked_about() -> None:
    source = press("process: review") + "- {id: t, type: sub_process, process: reveiw}\n"
    (problem,) = problems_of(source, process("review", []))
    assert (problem.code, problem.path, problem.hint) == (
        "unknown_process",
        "steps[1].process",
        "did you mean `review`?",
    )


REVIEW = {
    "text": {"type": "string", "required": True},
    "length": {"type": "integer"},
    "kind": {"type": "string", "enum": ["news", "notes"], "default": "news"},
    "tone": {"required": True, "default": None},
}


@pytest.mark.parametrize(
    ("mapping", "code", "path"),
    [
        ("§{}", "missing_child_input", ""),
        ("§{text: null}", "missing_child_input", ""),
        ("{text: x, §lenght: 3}", "unknown_child_input", ".lenght"),
        ("{text: §7}", "invalid_child_input", ".text"),
        ("{text: '{{ trigger.id }}', length: §1.5}", "invalid_child_input", ".length"),
        ("{text: '{{ trigger.id }}', kind: §poem}", "invalid_child_input", ".kind"),
    ],
)
def test_what_is_known_of_the_input_is_checked_against_what_would_run(mapping: str, code: str, path: str) -> None:
    review = process("review", [], input=REVIEW)
    marked = press(f"process: review, input_mapping: {mapping}")
    found = problems_of(marked.replace("§", ""), review)
    line = marked.replace("§", "").splitlines()[2]
    column = line.index("3}") + 1 if path == ".lenght" else len(marked.splitlines()[2].split("§")[0]) + 1
    assert [(p.code, p.path, p.line, p.column) for p in found] == [(code, f"steps[0].input_mapping{path}", 3, column)]


@pytest.mark.parametrize(
    "mapping", ["{text: x}", "{text: '{{ trigger.id }}', length: '{{ trigger.id }}', kind: notes}"]
)
def test_an_input_that_may_do_is_nothing_to_talk_about(mapping: str) -> None:
    assert problems_of(press(f"process: review, input_mapping: {mapping}"), process("review", [], input=REVIEW)) == []


def test_the_version_that_is_named_is_the_one_whose_input_counts() -> None:
    two = process("review", [], input=REVIEW)
    open_one = Process(
        "review", "published", None, {1: process("review", []).versions[1], 2: two.versions[1]}, latest=2
    )
    assert [p.code for p in problems_of(press("process: review"), open_one)] == ["missing_child_input"]
    assert problems_of(press("process: review, version: 1, input_mapping: {anything: 7}"), open_one) == []


OUTPUTS = [
    {"name": "verdict", "source": "{{ input.kind }}"},
    {"name": "score", "source": "{{ input.length || 0 }}"},
    {"name": "text", "source": "About {{ input.text }}"},
    {"name": "answer", "source": "{{ steps.x.output }}"},
    {"name": "both", "source": {"text": "{{ input.text }}", "fixed": 3}},
]


@pytest.mark.parametrize(
    ("more", "text", "expected"),
    [
        ("", "message: '{{ steps.s.output.verdict }} {{ steps.s.output.answer.deep[0] }}'", []),
        ("", "message: '{{ steps.s.output.verdct }}'", [("unknown_member", "did you mean `verdict`?")]),
        (
            "",
            "message: \"{{ steps.s.output.verdct | default('none') }}\"",
            [("unknown_member", "did you mean `verdict`?")],
        ),
        ("", "message: '{{ steps.s.output.both.fixd }}'", [("unknown_member", "did you mean `fixed`?")]),
        (", output_key: got", "message: '{{ steps.s.output.got.verdict }}'", []),
        (
            ", output_key: got",
            "message: '{{ steps.s.output.got.verdct }}'",
            [("unknown_member", "did you mean `verdict`?")],
        ),
        (
            "",
            "message: x, condition: steps.s.output.score == 'high'",
            [("type_mismatch", "a number is written without quotes")],
        ),
        (
            "",
            "message: x, condition: steps.s.output.text > 3",
            [("type_mismatch", "a number is written without quotes")],
        ),
        ("", "message: x, condition: steps.s.output.verdict == 'new'", [("unknown_value", "did you mean `news`?")]),
        (", wait: false", "message: '{{ steps.s.output.execution_id }}'", []),
    ],
)
def test_the_outputs_of_a_called_process_are_known_at_publication(
    more: str, text: str, expected: list[tuple[str, str]]
) -> None:
    source = (
        press(f"process: review, input_mapping: {{text: x}}{more}") + f"- {{id: t, agent: w, depends_on: s, {text}}}\n"
    )
    assert parse_definition(source).errors == []
    review = process("review", [], input=REVIEW, outputs=OUTPUTS)
    found = problems_of(source, review, check=member_problems)
    assert [(each.code, each.hint) for each in found] == expected
    assert all(each.path.startswith("steps[1]") and each.line == 4 for each in found)
    assert {each.severity for each in problems_of(source, review, severity="warning", check=member_problems)} <= {
        "warning"
    }


def test_the_outputs_of_the_version_that_is_named_count() -> None:
    one, two = process("review", []), process("review", [], outputs=OUTPUTS)
    both = Process("review", "published", None, {1: one.versions[1], 2: two.versions[1]}, latest=2)
    reader = "- {id: t, agent: w, depends_on: s, message: '{{ steps.s.output.verdict }}'}\n"
    assert problems_of(press("process: review") + reader, both, check=member_problems) == []
    (problem,) = problems_of(press("process: review, version: 1") + reader, both, check=member_problems)
    assert (problem.code, problem.hint) == ("unknown_member", "the process declares no `outputs`")


def test_a_value_of_another_kind_than_the_called_input_is_an_error() -> None:
    review = process("review", [], input=REVIEW)
    mapping = "input_mapping: {text: '{{ input.n }}', length: '{{ input.n }}', kind: '{{ input.any }}'}"
    source = "input: {n: {type: number, required: true}, any: {}}\n" + press(f"process: review, {mapping}")
    (problem,) = problems_of(source, review, check=member_problems)
    assert (problem.code, problem.path) == ("invalid_child_input", "steps[0].input_mapping.text")


def test_the_fixed_input_of_triggers_is_not_given_to_a_child() -> None:
    trigger = {"type": "manual", "id": "by-hand", "input": {"text": "x"}}
    review = process("review", [], input=REVIEW, triggers=[trigger])
    assert [p.code for p in problems_of(press("process: review"), review)] == ["missing_child_input"]


def test_an_input_that_is_required_is_missed_where_the_process_is_named() -> None:
    (problem,) = problems_of(press("process: review"), process("review", [], input=REVIEW))
    assert (problem.path, problem.column, problem.hint) == ("steps[0].process", 39, "add it to `input_mapping`")


NAMES = "abcdef"
graphs = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from([*NAMES, "a@1", "b@1"]), max_size=3), max_size=6
)


@given(graphs, st.lists(st.sampled_from(NAMES), max_size=3))
def test_there_is_a_way_back_exactly_when_one_can_be_walked(graph: Written, calls: list[str]) -> None:
    known = [process(name, called) for name, called in graph.items()]
    found, levels = walked("a", calls, known)
    assert len(levels) <= len(NAMES) + 1

    def leads_back(call: str, seen: frozenset[str]) -> bool:
        if call == "a":
            return True
        name = call.partition("@")[0]
        return call not in seen and any(leads_back(each, seen | {call}) for each in graph.get(name, ()))

    for name in set(calls) - {"a"}:
        callee = found.resolve(name, None)
        assert (callee is not None) == (name in graph)
        if callee is not None:
            way = found.way_back(callee)
            assert (way is not None) == leads_back(name, frozenset())
            if way is not None:
                assert (way[0], way[1], way[-1]) == ("a", name, "a")
