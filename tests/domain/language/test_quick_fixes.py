"""Quick fixes: each *did you mean* carries the edit that writes the word, and nothing else changes."""

import pytest

from domain.language import parse_definition
from domain.language.editing.fixes import TextProblem, mended, with_fixes
from domain.language.editing.spans import holds_comments


def problems_of(text: str) -> list[TextProblem]:
    """Return the problems of a text, with their fixes."""
    return with_fixes(text, parse_definition(text).problems)


HEAD = "name: a # ünï 😀\ninput: {claim: {type: string, required: true}}\nsteps:\n"
SLIPS = [
    (HEAD + "  - {id: b, agent: c, mesage: hi} # note\n", "mesage", "message"),
    (HEAD + "  - id: b\n    type: human_aproval # note\n    approvers: [ann]\n", "human_aproval", "human_approval"),
    (HEAD + '  - id: b\n    "type": "agent_tsk"\n    agent: c\n    message: hi\n', "agent_tsk", "agent_task"),
    (HEAD + "  - id: bread\n    agent: c\n    message: 'hi {{ input.clam }}' # note\n", "clam", "claim"),
    (
        HEAD + "  - id: b\n    agent: c\n    message: |\n      clam\n      {{ input.clam }}\n",
        "input.clam",
        "input.claim",
    ),
    (
        HEAD + "  - {id: read, agent: c, message: x}\n  - {id: b, agent: c, message: x, depends_on: [raed]}\n",
        "raed",
        "read",
    ),
    (HEAD + "  - {id: b, agent: c, message: '{{ input.claim | uper }}'}\n", "uper", "upper"),
    (HEAD.replace("string", "strin") + "  - {id: b, agent: c, message: x}\n", "strin", "string"),
]


@pytest.mark.parametrize(("text", "wrong", "right"), SLIPS)
def test_a_quick_fix_writes_the_word_and_leaves_the_rest(text: str, wrong: str, right: str) -> None:
    problem = next(each for each in problems_of(text) if each.fix is not None)
    assert problem.fix is not None
    after = mended(text, problem.fix)
    assert after == text.replace(wrong, right, 1)
    assert problem.fix.label in right
    assert (problem.code, problem.path) not in {(each.code, each.path) for each in problems_of(after)}


def test_a_hint_without_a_word_has_no_fix() -> None:
    problems = problems_of("name: a\nsteps: [{id: b, type: loop}]\n")
    assert problems
    assert all(each.fix is None for each in problems)


def test_json_that_is_respelled_has_no_fix() -> None:
    problems = problems_of('{"name": "a", "description": "\\ud83d\\ude00", "setps": []}')
    assert any("did you mean" in each.hint for each in problems)
    assert all(each.fix is None for each in problems)


@pytest.mark.parametrize(
    ("text", "found"),
    [("a: '#'\nb: c#d\n", False), ("a: 1 # x\n", True), ("a: | # x\n  b\n", True), ("a: |\n  # b\n# c\n", True)],
)
def test_comments_are_told_from_texts(text: str, found: bool) -> None:
    assert holds_comments(text) == found
