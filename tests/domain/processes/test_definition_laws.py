"""Laws of the language: printing and parsing agree, documents load and meet the schema, any text gets an answer."""

from typing import Any

import jsonschema_rs
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.processes.definition import Definition, InputField, Output, Trigger
from domain.processes.language import (
    Parsed,
    definition_document,
    json_schema,
    load_definition,
    parse_definition,
    print_definition,
)
from domain.processes.steps import AgentTask, Roles
from domain.refusal import Problem

SCHEMA = jsonschema_rs.validator_for(json_schema(), offline=True)
SEED = """\
name: review
version: 1.10
labels: [a, b]
input: {topic: {type: string, required: true}, n: {type: integer, default: 3}}
triggers: [{type: manual, id: by-hand, input: {n: 2}}]
steps:
- {id: a, agent: writer, message: "Hello {{ input.topic }}"}
- id: b
  depends_on: a
  condition: steps.a.output.text == "x"
  roles: {executor: editor, monitors: [boss]}
  message: "{{ steps.a.output }}"
  output_schema: {type: object, required: [z]}
outputs: {result: "{{ steps.b.output }}"}
"""

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=40).filter(lambda text: "{{" not in text)
lines = st.text(characters, min_size=1, max_size=20)
TRICKY = [
    "yes",
    "1e3",
    "0o7",
    "0x1F",
    "~",
    "null",
    "True",
    ".inf",
    "09:00",
    "<<",
    "'",
    '"',
    "%",
    "!x",
    "&a",
    "*a",
    "1_0",
]
TRICKY += [
    "=",
    "---",
    "#",
    "-",
    "[",
    "{",
    "?",
    ":",
    "|",
    ">",
    "é",
    "@",
    "`",
    "a\n  b\n\n",
    "a \nb",
    "a\n\n\nb\n",
    "a\r\nb",
]
TRICKY += ["- a", "a: b", " x ", "\n", "a\n\n b\n", "a\nb", "", "\x85\u2028", "\t", "\ufeff", "a #b"]
tricky = st.sampled_from(TRICKY)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | tricky, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts | tricky, values, max_size=3)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
fields = st.builds(
    InputField,
    required=st.booleans(),
    description=st.none() | texts.filter(bool),
    default=values,
) | st.builds(InputField, type=st.sampled_from(["string", "integer", "object"]), required=st.booleans())


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    ids = draw(
        st.lists(st.from_regex(r"[a-z][a-z0-9_-]{0,6}[a-z0-9]", fullmatch=True), min_size=1, max_size=4, unique=True)
    )
    agents = draw(st.lists(lines, min_size=3, max_size=3, unique=True))
    steps = []
    for at, step in enumerate(ids):
        needed = tuple(draw(st.lists(st.sampled_from(ids[:at]), unique=True))) if at else ()
        references = [f"{{{{ steps.{other}.output }}}}" for other in needed]
        steps.append(
            AgentTask(
                id=step,
                name=draw(st.none() | lines | tricky.filter(bool)),
                type="agent_task",
                depends_on=needed,
                condition=draw(st.sampled_from([None, True, False, "1 < 2", "not execution.id == 'a: b'"])),
                roles=draw(st.sampled_from([Roles(), Roles(monitors=(agents[1],), informed=(agents[2],))])),
                agent=agents[0],
                message=draw(
                    texts.filter(bool) | tricky.filter(bool) | st.sampled_from(["{{ process.name }}", *references])
                ),
                parameters=draw(objects),
                output_schema=draw(st.sampled_from([None, {}, {"type": "object", "required": ["no"]}])),
            )
        )
    return Definition(
        name=draw(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,8}", fullmatch=True)),
        description=draw(st.none() | texts | tricky),
        labels=tuple(draw(st.lists(lines, max_size=2))),
        version=draw(st.sampled_from([None, "1", "1.10", "beta"])),
        input=draw(st.none() | st.dictionaries(names, fields, max_size=3)),
        triggers=draw(st.sampled_from([(), (Trigger(type="manual", id="x", enabled=False),)])),
        steps=tuple(steps),
        outputs=tuple(
            Output(name=name, source=draw(values.filter(lambda value: value is not None and not _bare_path(value))))
            for name in draw(st.lists(names, max_size=2, unique=True))
        ),
    )


def _bare_path(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("input", "steps", "process", "trigger", "execution"))


@given(definitions())
@settings(max_examples=150, deadline=None)
def test_a_printed_definition_is_read_as_the_same(definition: Definition) -> None:
    parsed = parse_definition(print_definition(definition))
    assert parsed.problems == []
    assert parsed.definition == definition


@given(definitions())
@settings(max_examples=50, deadline=None)
def test_a_stored_document_loads_as_the_same_and_meets_the_schema(definition: Definition) -> None:
    document = definition_document(definition)
    assert load_definition(document) == definition
    assert definition_document(load_definition(document)) == document
    assert [error.message for error in SCHEMA.iter_errors(document)] == []


def test_the_schema_knows_the_short_forms_and_says_no_to_wrong_types() -> None:
    assert SCHEMA.is_valid(yaml.safe_load(SEED))
    other = {"name": "p", "steps": [{"id": "a", "agent": "w", "message": "x"}], "outputs": [{"name": "x", "value": 1}]}
    assert SCHEMA.is_valid(other)
    assert not SCHEMA.is_valid({**other, "steps": [{"id": "a", "message": "x"}]})
    assert not SCHEMA.is_valid({**other, "outputs": [{"name": "x"}]})
    assert not SCHEMA.is_valid({"name": "p"})


def sound(parsed: Parsed) -> None:
    assert (parsed.definition is None) == bool(parsed.errors)
    assert parsed.definition is None or parsed.name == parsed.definition.name
    assert not parsed.fatal or parsed.errors
    for problem in parsed.problems:
        assert isinstance(problem, Problem)
        assert problem.code
        assert problem.message
        assert len(problem.message) < 600
        assert len(problem.path) < 1_000
        assert problem.line is None or problem.line >= 1


@given(st.text(max_size=200) | st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_answered_with_problems(source: str | bytes) -> None:
    sound(parse_definition(source))


@given(st.text(st.sampled_from("[]{}:,-?&*a#|>'\"!% \n\t0.~<"), max_size=80))
@settings(max_examples=400, deadline=None)
def test_any_punctuation_is_answered_with_problems(source: str) -> None:
    sound(parse_definition(source))
    sound(parse_definition("name: p\nsteps:\n" + source))


@given(
    st.integers(0, len(SEED)),
    st.integers(0, 12),
    st.text(st.sampled_from("[]{}:,-a1'\"\n |.") | st.characters(), max_size=6),
)
@settings(max_examples=300, deadline=None)
def test_a_mutilated_definition_is_answered_with_problems(start: int, length: int, put: str) -> None:
    sound(parse_definition(SEED[:start] + put + SEED[start + length :]))


WORDS = [
    "name",
    "steps",
    "id",
    "agent",
    "roles",
    "executor",
    "monitors",
    "input",
    "outputs",
    "type",
    "depends_on",
    "default",
]
WORDS += ["condition", "message", "enum", "triggers", "source", "value", "output_schema", "parameters", "required"]


def _known_words(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(WORDS), inner | st.lists(inner, max_size=3), max_size=6)


@given(st.recursive(values, _known_words, max_leaves=15))
@settings(max_examples=200, deadline=None)
def test_any_shape_of_known_words_is_answered_with_problems(shape: Any) -> None:
    sound(parse_definition(yaml.safe_dump({"name": "p", "steps": shape, "outputs": shape, "input": shape})))
    sound(
        parse_definition(
            yaml.safe_dump({"name": "p", "steps": [shape, shape], "triggers": [shape], "outputs": [shape]})
        )
    )
