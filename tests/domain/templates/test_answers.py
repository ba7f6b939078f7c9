"""Answers are checked against their parameters, with all problems at once; declarations against the language."""

import re

import pytest

from domain.jsonvalue import JsonValue
from domain.templates.answers import check_answers
from domain.templates.engine import fits_engine
from domain.templates.parameters import DeclaredParameters
from domain.templates.reading import read_template

DECLARED = """
template:
  id: all-types
  parameters:
    text: {type: string, pattern: "^[a-z]+$", minimum: 2, maximum: 5, default: abc}
    share: {type: number, minimum: 0, maximum: 1, default: 0.5}
    count: {type: integer, minimum: 1, default: 2}
    strict: {type: boolean, default: false}
    tone: {type: enum, enum: [plain, warm], default: plain}
    people: {type: array, items: string, minimum: 1, maximum: 2, default: [ann]}
    facts: {type: object, default: {}}
    wait: {type: duration, minimum: 1m, maximum: 1d, default: 2h}
    every: {type: cron, default: "0 9 * * mon"}
    zone: {type: timezone, default: Europe/Berlin}
    writer: {type: agent, default: writer}
    child: {type: process, default: text-review}
    hook: {type: secret, default: "${HOOK}"}
    budget: {type: money, maximum: 10, default: 5.00 USD}
    why: {type: string, when: parameters.strict, default: none}
    who: {type: string, when: parameters.tone == 'warm'}
process:
  name: a
  steps:
    - id: a
      agent: ${{ parameters.writer }}
      message: a
      parameters:
"""
NAMES = re.findall(r"^    (\w+): \{type", DECLARED, re.MULTILINE)
USED = [name for name in NAMES if name != "writer"]
DOCUMENT = DECLARED + "".join(f"        {name}: ${{{{ parameters.{name} }}}}\n" for name in USED)


def parameters() -> DeclaredParameters:
    """Return the parameters above."""
    reading = read_template(DOCUMENT)
    assert reading.template is not None, reading.problems
    return reading.template.parameters


def found(**answers: JsonValue) -> list[tuple[str, str]]:
    """Return code and path of each problem of answers."""
    return [(each.code, each.path) for each in check_answers(parameters(), answers).problems]


def test_defaults_fill_in_and_money_has_its_parts() -> None:
    answers = check_answers(parameters(), {"people": ["ann", "bob"]})

    assert answers.problems == ()
    assert answers.values["people"] == ["ann", "bob"]
    assert answers.values["budget"] == {"amount": "5.00", "currency": "USD"}
    assert (answers.values["tone"], answers.values["why"], answers.values["who"]) == ("plain", None, None)


@pytest.mark.parametrize(
    ("answers", "problems"),
    [
        ({"text": "A"}, [("too_small", "parameters.text"), ("pattern_mismatch", "parameters.text")]),
        ({"text": 5}, [("wrong_type", "parameters.text")]),
        ({"share": 2}, [("too_large", "parameters.share")]),
        ({"share": True}, [("wrong_type", "parameters.share")]),
        ({"count": 1.5}, [("wrong_type", "parameters.count")]),
        ({"tone": "cold"}, [("not_in_enum", "parameters.tone")]),
        ({"people": []}, [("too_small", "parameters.people")]),
        ({"people": ["ann", 1]}, [("wrong_type", "parameters.people[1]")]),
        ({"wait": "10s"}, [("too_small", "parameters.wait")]),
        ({"wait": "soon"}, [("invalid_duration", "parameters.wait")]),
        ({"wait": "400d"}, [("duration_too_long", "parameters.wait")]),
        ({"every": "61 * * * *"}, [("invalid_cron", "parameters.every")]),
        ({"zone": "EST"}, [("unknown_timezone", "parameters.zone")]),
        ({"writer": "Not A Name"}, [("invalid_name", "parameters.writer")]),
        ({"hook": "hunter2"}, [("secret_not_a_reference", "parameters.hook")]),
        ({"hook": "${DATABASE_URL}"}, [("secret_reserved", "parameters.hook")]),
        ({"budget": 5.0}, [("invalid_amount", "parameters.budget")]),
        ({"budget": "11.00 USD"}, [("too_large", "parameters.budget")]),
        ({"text": "a\0"}, [("nul_character", "parameters.text")]),
        ({"txt": "abc"}, [("unknown_parameter", "parameters.txt")]),
        ({"tone": "warm"}, [("required_parameter", "parameters.who")]),
        (
            {"count": 0, "share": -1, "other": 1},
            [
                ("too_small", "parameters.share"),
                ("too_small", "parameters.count"),
                ("unknown_parameter", "parameters.other"),
            ],
        ),
    ],
)
def test_all_problems_of_answers_are_named(answers: dict[str, JsonValue], problems: list[tuple[str, str]]) -> None:
    assert found(**answers) == problems


def test_a_parameter_whose_condition_does_not_hold_counts_for_nothing() -> None:
    assert found(who=5) == []
    assert check_answers(parameters(), {"who": "bob"}).values["who"] is None
    assert check_answers(parameters(), {"who": "bob", "tone": "warm"}).values["who"] == "bob"


def test_a_slow_pattern_takes_no_long_time() -> None:
    text = 'template: {id: a, parameters: {x: {type: string, pattern: "^(a+)+$", default: a}}}\n'
    text += 'process: {name: a, steps: [{id: a, agent: w, message: "${{ parameters.x }}"}]}\n'
    template = read_template(text).template
    assert template is not None

    problems = check_answers(template.parameters, {"x": "a" * 50_000 + "b"}).problems

    assert [problem.code for problem in problems] == ["pattern_mismatch"]


@pytest.mark.parametrize(
    ("declaration", "code", "path"),
    [
        ("{type: strng}", "unknown_type", "template.parameters.x.type"),
        ("{type: integer, default: a}", "wrong_type", "template.parameters.x.default"),
        ("{type: integer, minimum: 3, default: 1}", "too_small", "template.parameters.x.default"),
        ("{type: enum}", "missing_field", "template.parameters.x"),
        ("{type: duration, minimum: soon}", "wrong_type", "template.parameters.x.minimum"),
        ('{type: string, pattern: "("}', "invalid_pattern", "template.parameters.x.pattern"),
        ("{type: string, when: parameters.y}", "unknown_parameter", "template.parameters.x.when"),
        ("{type: string, when: input.y}", "unknown_root", "template.parameters.x.when"),
        ("{type: array, items: many}", "unknown_type", "template.parameters.x.items"),
        ("{type: string, defalt: a}", "unknown_key", "template.parameters.x.defalt"),
        ("5", "wrong_type", "template.parameters.x"),
    ],
)
def test_a_wrong_declaration_is_located(declaration: str, code: str, path: str) -> None:
    text = f"template:\n  id: a\n  parameters:\n    x: {declaration}\n"
    text += 'process: {name: a, steps: [{id: a, agent: w, message: "${{ parameters.x }}"}]}\n'

    problems = read_template(text).problems

    assert (problems[0].code, problems[0].path, problems[0].line) == (code, path, 4)


@pytest.mark.parametrize(
    ("step", "code", "path"),
    [
        ('{id: "${{ parameters.x }}", agent: w, message: m}', "placeholder_forbidden", "process.steps[0].id"),
        (
            '{id: a, agent: w, message: m, depends_on: "${{ parameters.x }}"}',
            "placeholder_forbidden",
            "process.steps[0].depends_on",
        ),
        ('"${{ parameters.x }}"', "placeholder_forbidden", "process.steps[0]"),
        ('{id: a, agent: w, message: "${{ parameters.y }}"}', "unknown_parameter", "process.steps[0].message"),
        ('{id: a, agent: w, message: "${{ input.y }}"}', "invalid_placeholder", "process.steps[0].message"),
        (
            "{id: a, agent: w, message: m, condition: \"input.a == '${{ parameters.x }}'\"}",
            "placeholder_quoted",
            "process.steps[0].condition",
        ),
        (
            '{id: a, agent: w, message: m, parameters: {"${{ parameters.x }}": 1}}',
            "placeholder_forbidden",
            "process.steps[0].parameters.${{ parameters.x }}",
        ),
        ("{id: a, agent: w, message: m}", "unused_parameter", "template.parameters.x"),
    ],
)
def test_a_misplaced_placeholder_is_located(step: str, code: str, path: str) -> None:
    text = "template: {id: a, parameters: {x: {type: string, default: b}}}\nprocess:\n  name: a\n  steps:\n"

    problems = read_template(f"{text}    - {step}\n").problems

    assert (code, path) in [(problem.code, problem.path) for problem in problems]
    assert all(problem.line for problem in problems)


def test_samples_and_the_definitions_they_give_are_checked() -> None:
    text = "template:\n  id: a\n  parameters: {x: {type: duration}}\n  samples: [{x: soon}, {x: 0s}, {y: 1}]\n"
    text += 'process:\n  name: a\n  steps:\n    - {id: a, agent: w, message: m, timeout: "${{ parameters.x }}"}\n'

    problems = [(problem.code, problem.path) for problem in read_template(text).problems]

    assert problems == [
        ("invalid_duration", "template.samples[0].x"),
        ("required_parameter", "template.samples[2].x"),
        ("unknown_parameter", "template.samples[2].y"),
        ("invalid_duration", "process.steps[0].timeout"),
    ]


def test_a_secret_in_a_template_is_a_problem() -> None:
    token = "gh" + "p_" + "a1" * 18
    text = (
        f"template: {{id: a, description: {token}}}\nprocess: {{name: a, steps: [{{id: a, agent: w, message: m}}]}}\n"
    )

    reading = read_template(text)

    assert [(each.code, each.path) for each in reading.problems] == [("secret_found", "template.description")]
    assert reading.template is None


@pytest.mark.parametrize("text", ["", "a", "[", "template: 1\nprocess: 2\n", "template: {}\n", b"\xff", "a: &a [*a]"])
def test_rubbish_is_no_template(text: str | bytes) -> None:
    reading = read_template(text)

    assert reading.template is None
    assert reading.problems != ()


def test_an_engine_fits_by_its_version() -> None:
    assert fits_engine(None, "0.7.0")
    assert fits_engine(">=0.2", "0.7.0")
    assert fits_engine(">=0.2, <1", "0.10.3")
    assert not fits_engine(">=0.2, <0.9", "0.10.3")
    assert not fits_engine(">0.7.0", "0.7.0")
