"""Laws of the language: printing and parsing agree, documents load and meet the schema, any text gets an answer."""

from datetime import timedelta
from typing import Any

import jsonschema_rs
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.processes.definition import Defaults, Definition, InputField, Output, Trigger
from domain.processes.language import (
    Parsed,
    definition_document,
    json_schema,
    load_definition,
    parse_definition,
    print_definition,
)
from domain.processes.parts import Part
from domain.processes.quantities import MoneyLimit
from domain.processes.steps import AgentTask, AnyStep, Gateway, HumanApproval, Retry, Roles, Timer
from domain.processes.steps.fallback import Goto, GotoStep
from domain.processes.steps.gateway import Route
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
  retry: {max_attempts: 3, initial_delay: 2s}
  on_error: {action: goto_step, target_step: d}
- {id: c, type: gateway, depends_on: b, routes: [{expression: 1 < 2, next: d}], default_route: e}
- {id: d, type: timer, config: {delay: 5m}, timeout: 1h, on_timeout: {goto: e}}
- {id: e, type: timer, until: "2026-01-31T09:00", timezone: UTC}
outputs: {result: "{{ steps.b.output }}"}
"""

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=40).filter(lambda text: "{{" not in text)
lines = st.text(characters, min_size=1, max_size=20)
UNQUOTED = "yes 1e3 0o7 0x1F ~ null True .inf 09:00 << ' \" % !x &a *a 1_0 = --- # - [ { ? : | > é @ `"
TRICKY = UNQUOTED.split()
TRICKY += ["a\n  b\n\n", "a \nb", "a\n\n\nb\n", "a\r\nb"]
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


durations = st.timedeltas(timedelta(microseconds=1), timedelta(days=365))
retries = st.sampled_from(
    [
        None,
        Retry(),
        Retry(max_attempts=3, backoff="linear", max_delay=timedelta(hours=1)),
        Retry(max_attempts=9, delay=timedelta(), backoff="exponential", multiplier=1.5, retry_on=("a", "b")),
        Retry(max_attempts=2, give_up_on=("1e3", "no")),
    ]
)
conditions = st.sampled_from([True, False, "1 < 2", "not execution.id == 'a: b'"])


def gotos(part: type[Part], key: str, later: list[str]) -> st.SearchStrategy[Any]:
    return st.builds(part, **{key: st.sampled_from(later)}) if later else st.none()


@st.composite
def commons(draw: st.DrawFn, step: str, earlier: list[str], later: list[str]) -> dict[str, Any]:
    timeout = draw(st.none() | durations)
    return {
        "id": step,
        "name": draw(st.none() | lines | tricky.filter(bool)),
        "depends_on": tuple(draw(st.lists(st.sampled_from(earlier), unique=True))) if earlier else (),
        "condition": draw(st.none() | conditions),
        "timeout": timeout,
        "total_timeout": draw(st.sampled_from([None, timedelta(days=365)])),
        "on_timeout": draw(st.sampled_from([None, "fail", "skip"]) | gotos(Goto, "goto", later)) if timeout else None,
        "retry": draw(retries),
        "on_error": draw(st.sampled_from([None, "fail_process", "skip_step"]) | gotos(GotoStep, "goto_step", later)),
    }


@st.composite
def agent_tasks(draw: st.DrawFn, common: dict[str, Any], agents: list[str]) -> AgentTask:
    references = [f"{{{{ steps.{other}.output }}}}" for other in common["depends_on"]]
    return AgentTask(
        **common,
        type="agent_task",
        roles=draw(st.sampled_from([Roles(), Roles(monitors=(agents[1],), informed=(agents[2],))])),
        agent=agents[0],
        message=draw(texts.filter(bool) | tricky.filter(bool) | st.sampled_from(["{{ process.name }}", *references])),
        parameters=draw(objects),
        output_schema=draw(st.sampled_from([None, {}, {"type": "object", "required": ["no"]}])),
        heartbeat=draw(st.none() | durations),
        max_cost=draw(st.sampled_from([None, MoneyLimit(amount="0.050", currency="USD")])),
    )


@st.composite
def timers(draw: st.DrawFn, common: dict[str, Any]) -> Timer:
    times = [
        {"duration": draw(durations)},
        {"duration": timedelta()},
        {"duration": "{{ execution.id }}"},
        {"until": "2026-01-31T09:00:00+01:00"},
        {"until": "2026-01-31 09:00", "timezone": "Europe/Berlin"},
        {"until": "{{ execution.started_at }}", "timezone": "UTC"},
    ]
    return Timer(**common, type="timer", **draw(st.sampled_from(times)))


def approvals(common: dict[str, Any]) -> st.SearchStrategy[HumanApproval]:
    given = {**common, "type": "human_approval", "timeout": None, "on_timeout": None, "deadline": timedelta(hours=1)}
    given |= {"approvers": ("ann", "b@x.org"), "on_deadline": "skip", "require_reason": True, "title": "A?"}
    return st.lists(values, max_size=2).map(lambda some: HumanApproval(**given, artifacts=tuple(some)))


@st.composite
def gateways(draw: st.DrawFn, common: dict[str, Any], later: list[str]) -> Gateway:
    targets = draw(st.lists(st.sampled_from(later), min_size=1, max_size=3, unique=True))
    kind = draw(st.sampled_from(["exclusive", "inclusive", "parallel"]))
    if kind == "parallel":
        routes = [Route(target=target) for target in targets]
        return Gateway(**common, type="gateway", gateway_type=kind, routes=tuple(routes))
    routes = [Route(target=target, condition=draw(conditions)) for target in targets]
    default = draw(st.sampled_from([None, *later]))
    if default is not None and draw(st.booleans()):
        routes.append(Route(target=default, default=True))
        default = None
    return Gateway(**common, type="gateway", gateway_type=kind, routes=tuple(routes), default_route=default)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    ids = draw(
        st.lists(st.from_regex(r"[a-z][a-z0-9_-]{0,6}[a-z0-9]", fullmatch=True), min_size=1, max_size=4, unique=True)
    )
    agents = draw(st.lists(lines, min_size=3, max_size=3, unique=True))
    steps: list[AnyStep] = []
    for at, step in enumerate(ids):
        later = ids[at + 1 :]
        common = draw(commons(step, ids[:at], later))
        kinds: list[st.SearchStrategy[Any]] = [agent_tasks(common, agents), timers(common), approvals(common)]
        steps.append(draw(st.one_of(*kinds, *([gateways(common, later)] if later else []))))
    return Definition(
        name=draw(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,8}", fullmatch=True)),
        description=draw(st.none() | texts | tricky),
        labels=tuple(draw(st.lists(lines, max_size=2))),
        version=draw(st.sampled_from([None, "1", "1.10", "beta"])),
        defaults=draw(
            st.none()
            | st.builds(
                Defaults,
                timeout=st.none() | durations,
                retry=retries,
                roles=st.sampled_from([Roles(), Roles(executor=agents[1], monitors=(agents[2],))]),
            )
        ),
        input=draw(st.none() | st.dictionaries(names, fields, max_size=3)),
        triggers=draw(
            st.sampled_from(
                [(), (Trigger(type="manual", id="x", enabled=False), Trigger(type="webhook", id="y", secret="${A}"))]
            )
        ),
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


WORDS = ["name", "steps", "id", "agent", "roles", "executor", "monitors", "input", "outputs", "type", "depends_on"]
WORDS += ["timeout", "retry", "on_error", "on_timeout", "action", "goto", "goto_step", "routes", "target", "defaults"]
WORDS += ["duration", "until", "timezone", "config", "max_cost", "amount", "retry_on", "default_route"]
WORDS += [
    "condition",
    "message",
    "default",
    "enum",
    "triggers",
    "source",
    "value",
    "output_schema",
    "parameters",
    "required",
]


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
    if isinstance(shape, dict):
        steps = [{**shape, "id": f"s{at}", "type": kind} for at, kind in enumerate(("timer", "gateway", "agent_task"))]
        sound(parse_definition(yaml.safe_dump({"name": "p", "steps": steps, "defaults": shape})))
