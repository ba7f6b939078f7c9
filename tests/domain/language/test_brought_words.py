"""Words that designers bring from other engines for repetition: each hint names the word of this language."""

import pytest

from domain.language import parse_definition

STEP = "id: s, type: sub_process, steps: [{id: a, agent: w, message: x}]"


@pytest.mark.parametrize(
    ("fields", "word", "meant"),
    [
        ("foreach: {items: [1]}", "foreach", "for_each"),
        ("with_items: [1]", "with_items", "for_each"),
        ("withParam: x", "withParam", "for_each"),
        ("matrix: [1]", "matrix", "for_each"),
        ("loop: 3", "loop", "repeat"),
        ("do_while: x", "do_while", "repeat"),
        ("while: x", "while", "repeat"),
        ("for_each: {items: [1], concurrency: 3}", "concurrency", "max_parallel"),
        ("for_each: {items: [1], MaxConcurrency: 3}", "MaxConcurrency", "max_parallel"),
        ("for_each: {items: [1], concurrencyLimit: 3}", "concurrencyLimit", "max_parallel"),
        ("for_each: {items: [1], var: x}", "var", "as"),
        ("for_each: {items: [1], iteration_param: x}", "iteration_param", "as"),
        ("for_each: {items: [1], on_failure: skip}", "on_failure", "on_error"),
        ("repeat: {until: round == 1, max_iterations: 3}", "max_iterations", "max"),
        ("repeat: {until: round == 1, retries: 3}", "retries", "max"),
        ("repeat: {until: round == 1, interval: 3}", "interval", "delay"),
        ("repeat: {until: round == 1, update: {x: 1}}", "update", "carry"),
    ],
)
def test_a_word_of_another_engine_leads_to_ours(fields: str, word: str, meant: str) -> None:
    (problem,) = parse_definition(f"{{name: p, steps: [{{{STEP}, {fields}}}]}}").problems
    assert problem.code == "unknown_key"
    assert f"`{word}` is not a key here" in problem.message
    assert problem.hint == f"did you mean `{meant}`?"


@pytest.mark.parametrize(
    ("fields", "missing", "hint"),
    [
        ("for_each: {in: [1]}", "items", "did you mean `items`?"),
        ("for_each: {values: [1]}", "items", "did you mean `items`?"),
        ("for_each: {ItemsPath: [1]}", "items", "did you mean `items`?"),
        ("repeat: {condition: x}", "until", "did you mean `until`?"),
        ("repeat: {while: x}", "until", "did you mean `until`?"),
        ("repeat: {loopCondition: x}", "until", "did you mean `until`?"),
    ],
)
def test_a_required_field_by_another_name_is_named(fields: str, missing: str, hint: str) -> None:
    found = parse_definition(f"{{name: p, steps: [{{{STEP}, {fields}}}]}}").problems
    assert {problem.code for problem in found} == {"unknown_key", "missing_field"}
    assert any(f"`{missing}` is required" in problem.message for problem in found)
    assert hint in [problem.hint for problem in found]


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("foreach", "for_each"),
        ("map", "for_each"),
        ("fork_join_dynamic", "for_each"),
        ("do_while", "repeat"),
        ("loop", "repeat"),
    ],
)
def test_a_type_of_another_engine_leads_to_a_field_of_ours(kind: str, meant: str) -> None:
    (problem,) = parse_definition(f"{{name: p, steps: [{{id: s, type: {kind}}}]}}").problems
    assert problem.code == "unknown_step_type"
    assert f"a `sub_process` with `{meant}`" in problem.hint


@pytest.mark.parametrize(("field", "meant"), [("for_each", "for_each"), ("loop", "repeat"), ("until", "repeat")])
def test_repetition_of_another_step_leads_to_a_sub_process(field: str, meant: str) -> None:
    (problem,) = parse_definition(f"{{name: p, steps: [{{id: s, agent: w, message: x, {field}: x}}]}}").problems
    assert problem.code == "unknown_key"
    assert problem.hint.startswith(f"a step of the type `sub_process` has `{meant}`")
