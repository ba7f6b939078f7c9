"""Keys that nobody knows where they stand: slips of known ones, others, and definitions that are strict about both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language import parse_definition
from domain.words import is_slip

STEP = "- {id: a, agent: w, message: x"


@pytest.mark.parametrize(
    ("source", "path", "hint"),
    [
        (
            f"name: p\nsteps:\n{STEP}, depnds_on: b}}\n- {{id: b, agent: w, message: x}}\n",
            "steps[0].depnds_on",
            "depends_on",
        ),
        ("name: p\nsteps:\n- {id: a, type: human_approval, approver: cfo}\n", "steps[0].approver", "approvers"),
        ("name: p\nsteps:\n- {id: a, type: human_approval, asignees: [cfo]}\n", "steps[0].asignees", "assignees"),
        (f"name: p\ndescripton: x\nsteps:\n{STEP}}}\n", "descripton", "description"),
        (f"name: p\nsteps:\n{STEP}, retry: {{max_atempts: 2}}}}\n", "steps[0].retry.max_atempts", "max_attempts"),
        (
            f"name: p\nsteps:\n{STEP}}}\ntriggers:\n- {{type: manual, id: m, enabld: false}}\n",
            "triggers[0].enabld",
            "enabled",
        ),
        (f"name: p\nsteps:\n{STEP}, roles: {{monitor: x}}}}\n", "steps[0].roles.monitor", "monitors"),
        ("name: p\nsteps:\n- {id: a, type: timer, config: {dely: 1s}}\n", "steps[0].config.dely", "delay"),
    ],
)
def test_a_slip_of_a_known_key_is_an_error(source: str, path: str, hint: str) -> None:
    found = [problem for problem in parse_definition(source).problems if problem.code == "unknown_key"]
    assert [(problem.severity, problem.path, problem.hint) for problem in found] == [
        ("error", path, f"did you mean `{hint}`?")
    ]


@pytest.mark.parametrize(("strict", "severity"), [("", "warning"), ("strict: true\n", "error")])
def test_any_other_unknown_key_is_a_warning_and_an_error_where_the_definition_is_strict(
    strict: str, severity: str
) -> None:
    parsed = parse_definition(f"name: p\n{strict}team: x\nsteps:\n{STEP}, sla: 3}}\n")
    assert [(problem.code, problem.severity) for problem in parsed.problems] == [("unknown_key", severity)] * 2
    assert (parsed.definition is None) == bool(strict)


def test_whoever_asks_for_it_gets_errors_for_warnings() -> None:
    source = f"name: p\nsteps:\n{STEP}, on_timeout: skip}}\n"
    assert [problem.severity for problem in parse_definition(source).problems] == ["warning"]
    strict = parse_definition(source, strict=True)
    assert ([problem.severity for problem in strict.problems], strict.definition) == (["error"], None)


@pytest.mark.parametrize(
    ("word", "known", "slip"),
    [
        ("depnds_on", "depends_on", True),
        ("dependson", "depends_on", True),
        ("depends", "depends_on", False),
        ("nme", "name", True),
        ("nm", "name", False),
        ("tpye", "type", False),
        ("titel", "title", True),
        ("name", "name", False),
    ],
)
def test_a_slip_is_within_two_edits_and_one_for_short_words(word: str, known: str, slip: bool) -> None:
    assert is_slip(word, known) == slip


@given(st.text("abc", min_size=5, max_size=12), st.data())
def test_every_two_edits_of_a_word_are_a_slip_of_it(known: str, data: st.DataObject) -> None:
    word = known
    for _ in range(2):
        at = data.draw(st.integers(0, len(word)))
        word = word[:at] + data.draw(st.sampled_from(("", "z"))) + word[at + data.draw(st.integers(0, 1)) :]
    if len(word) >= 5 and word != known:
        assert is_slip(word, known)


@pytest.mark.parametrize("place", ["parameters: {<<: *p, depth: 3}", "retry: {<<: *p, max_attempts: 3}", "<<: *p"])
def test_a_merge_key_is_an_error_wherever_it_stands(place: str) -> None:
    source = f"name: p\nlabels: &l [x]\noutputs: {{o: &p {{a: 1}}}}\nsteps:\n{STEP}, {place}}}\n"
    (problem,) = parse_definition(source).errors
    assert (problem.code, problem.line, problem.path.endswith("<<")) == ("merge_key", 5, True)


def test_a_key_in_quotes_may_be_called_like_a_merge_key() -> None:
    parsed = parse_definition(f'name: p\nsteps:\n{STEP}, parameters: {{"<<": 1}}}}\n')
    assert parsed.problems == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("- id: b\n  agent: w\n  message: Foo: {{ x }}\n", "stands in quotes"),
        ("- {id: b, agent: w, message: Foo: {{ input.x }}}\n", "stands in quotes"),
        ("- id: b\n  agent: w\n  message: {{ input.x }}\n", "stands in quotes"),
    ],
)
def test_a_text_that_needs_quotes_is_told_so(text: str, hint: str) -> None:
    found = parse_definition("name: p\nsteps:\n" + text).errors
    assert any(hint in problem.hint for problem in found)


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ("next_step: b", "depends_on"),
        ("output_key: x", "steps.ID.output"),
        ("monitors: x", "under `roles`"),
    ],
)
def test_keys_of_other_engines_are_told_what_to_write_instead(fields: str, hint: str) -> None:
    found = parse_definition(f"name: p\nsteps:\n{STEP}, {fields}}}\n").problems
    assert [(problem.severity, problem.code) for problem in found] == [("warning", "unknown_key")]
    assert any(hint in problem.hint for problem in found)


def test_one_who_watches_is_a_list_of_one() -> None:
    parsed = parse_definition(f"name: p\nsteps:\n{STEP}, roles: {{monitors: x, informed: y}}}}\n")
    assert parsed.problems == []
    assert parsed.definition is not None
    assert (parsed.definition.steps[0].roles.monitors, parsed.definition.steps[0].roles.informed) == (("x",), ("y",))


def test_a_multiplier_means_pauses_that_grow_and_is_stored_so() -> None:
    source = f"name: p\nsteps:\n{STEP}, retry: {{max_attempts: 4, initial_delay: 1s, backoff_multiplier: 3}}}}\n"
    parsed = parse_definition(source)
    assert parsed.definition is not None
    retry = parsed.definition.steps[0].retry
    assert retry is not None
    assert [retry.plan().delay_before(n).total_seconds() for n in (2, 3, 4)] == [1, 3, 9]
    assert retry.backoff == "exponential"


@pytest.mark.parametrize("field", ["timeout: 5s", "total_timeout: 5s", "retry: {max_attempts: 2}"])
def test_what_a_gateway_has_no_use_for_is_a_warning(field: str) -> None:
    gate = f"- {{id: g, type: gateway, {field}, routes: [{{condition: 'true', target: a}}], default_route: a}}\n"
    found = parse_definition(f"name: p\nsteps:\n{gate}{STEP}}}\n").problems
    assert [(problem.severity, problem.code) for problem in found] == [("warning", "unused_field")]
