"""Whatever an agent answers, and wherever a process passes it on, every projection applies the events that follow."""

import json
import random
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.steps import CompleteBody, FailBody
from commands.agents import RegisterAgent
from commands.deciding import DecisionBroke
from commands.executions import AnswerStep, StartExecution
from commands.handlers import Handlers
from commands.processes import DraftProcess, PublishProcess
from domain.agents.calls import Accepted, Completed, Failed, StepError, Usage
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.executions.decisions.approval import decide_approval
from domain.executions.decisions.step import start_step
from domain.executions.decisions.timer import fire_timer_early
from domain.identity import process_id
from domain.money import Money, parse_money
from domain.refusal import Refusal
from edge.checking import check_fields
from gateway.http import read_reply as read_http
from gateway.model import read_reply as read_model
from projections import ALL
from projections.running import Runner
from projections.verifying import verify
from tests.gateway.test_answer_laws import DIALECTS, REPLIES

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "agent:callback", "cause")
PROCESSES = (
    "{name: beneath, steps: [{id: w, agent: a, message: hello}]}",
    """
name: passes-on
steps:
  - {id: a, agent: a, message: hello, retry: {max_attempts: 2, delay: 1s}}
  - {id: text, agent: a, message: "{{ steps.a.output }}", depends_on: a, on_error: skip_step}
  - {id: parts, agent: a, message: "x {{ steps.a.output }}", parameters: {p: "{{ steps.a.output }}"}, depends_on: a}
  - {id: until, type: timer, until: "{{ steps.a.output }}", timezone: Europe/Berlin, depends_on: a, on_error: skip_step}
  - {id: span, type: timer, duration: "{{ steps.a.output }}", depends_on: a, on_error: skip_step}
  - id: ask
    type: human_approval
    title: "{{ steps.a.output }}"
    description: "{{ steps.a.output }}"
    artifacts: ["{{ steps.a.output }}"]
    approvers: [ann]
    depends_on: a
    on_error: skip_step
  - id: choose
    type: gateway
    depends_on: a
    routes: [{condition: "steps.a.output == 'x'", target: left}, {default: true, target: right}]
    on_error: skip_step
  - {id: left, agent: a, message: left, depends_on: choose}
  - {id: right, agent: a, message: right, depends_on: choose}
  - {id: below, type: sub_process, process: beneath, depends_on: a, on_error: skip_step}
outputs: {answer: "{{ steps.a.output }}", said: "says {{ steps.a.output }}"}
""",
)

LATE = Completed("late")
CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
LONG = st.integers(0, 2**32).map(
    lambda seed: "".join(chr(random.Random(seed).randint(33, 55_000)) for _ in range(4_000))
)
DEEP = st.integers(1, 60).map(lambda depth: json.loads("[" * depth + "1" + "]" * depth))
EDGES = st.sampled_from(
    [
        *(2**63 - 1, -(2**63), 1.7e308, 5e-324, -0.0, 1e-400, 1e16),
        *("9999-12-31T23:59:59Z", "0001-01-01T00:00", "2026-03-29T02:30", "P1D", "1e400", "36500d", "{{ input }}"),
        *("\\u0000", "\x01\x7f\x85\u2028\ufeff\U0010ffff", "", " ", "null", "user:ann"),
    ]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
OUTPUTS = st.recursive(
    SCALARS | st.text(CHARACTERS) | LONG | DEEP | EDGES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS), inner, max_size=3),
    max_leaves=8,
)
COUNTS = st.integers(0, 10**12)
USAGES = st.none() | st.builds(
    Usage, COUNTS, COUNTS, COUNTS, st.none() | st.dictionaries(st.text(CHARACTERS), OUTPUTS, max_size=2)
)
AMOUNTS = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(0, 10**39), st.integers(-40, 0)
) | st.sampled_from([Decimal("1E+40"), Decimal("0E-9999"), Decimal("1E-40"), Decimal("-0")])


def _cost(amount: Decimal) -> Money | None:
    try:
        return parse_money(amount, "USD")
    except ValueError:
        return None


COSTS = st.none() | AMOUNTS.map(_cost)
ERRORS = st.builds(
    StepError,
    st.from_regex("[a-z][a-z0-9_]{0,63}", fullmatch=True),
    st.text(CHARACTERS, max_size=200) | LONG,
    st.booleans(),
)
ANSWERS = (
    st.builds(Completed, OUTPUTS, USAGES, COSTS)
    | st.builds(Failed, ERRORS, USAGES, COSTS)
    | REPLIES.map(read_http)
    | st.tuples(REPLIES, st.sampled_from(DIALECTS)).map(lambda pair: read_model(*pair))
)


@pytest.fixture
def handlers(log, read_tables):
    """The commands, with the processes published; in the end every read model agrees with the log."""
    made = Handlers(log)
    made.agents.register(RegisterAgent("a", parse_agent("a", {"kind": "scripted", "script": "echo"})), CAUSE)
    for source in PROCESSES:
        receipt = made.processes.draft(DraftProcess(source), CAUSE)
        made.processes.publish(PublishProcess(receipt.stream), CAUSE)
    yield made
    for projection in ALL:
        found = verify(read_tables, projection, lambda _done, _total: None)
        assert (found.differing, found.parked) == (0, 0), found.samples


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(ANSWERS, min_size=1, max_size=6), st.text(CHARACTERS, max_size=50))
def test_every_projection_applies_whatever_follows_from_an_answer(handlers, read_tables, answers, comment):
    for answer in answers:
        follow(handlers, answer, comment)
    applied(read_tables, handlers.log)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([CompleteBody, FailBody]),
    st.dictionaries(st.sampled_from(["output", "usage", "cost", "error"]), OUTPUTS),
)
def test_a_callback_is_refused_or_every_projection_applies_it(handlers, read_tables, kind, stated):
    body = msgspec.json.encode(stated | {"attempt": 1})
    try:
        read = kind(**check_fields(kind, msgspec.json.decode(body), body))
    except Refusal:
        return
    follow(handlers, read.answer, "")
    applied(read_tables, handlers.log)


def follow(handlers, answer, comment):
    """Start an execution, answer each of its steps so, fire its timers and decide its approval."""
    executions = handlers.executions
    id = executions.start(StartExecution(process_id("passes-on")), CAUSE).stream
    for _ in range(3):
        for step, state in list(executions.load(id).steps.items()):
            attempt = state.attempt
            if state.status == "scheduled":
                executions.decide(id, lambda e, s=step, n=attempt: start_step(e, s, n, CAUSE))
                carefully(lambda s=step, n=attempt: executions.answer(AnswerStep(id, s, n, answer), CAUSE))
                if isinstance(answer, Accepted):
                    carefully(lambda s=step, n=attempt: executions.answer(AnswerStep(id, s, n, LATE), CAUSE))
        for step, kind in list(executions.load(id).timers):
            carefully(lambda s=step, k=kind: executions.decide(id, lambda e: fire_timer_early(e, s, k, "test", CAUSE)))
    asked = executions.load(id).steps.get("ask")
    if asked is not None:
        carefully(
            lambda: executions.decide(
                id, lambda e: decide_approval(e, "ask", asked.attempt, "user:ann", "granted", comment, CAUSE)
            )
        )


def carefully(act):
    """Act; a refusal is an answer, a decision that breaks is none."""
    try:
        act()
    except DecisionBroke:
        raise
    except Refusal:
        return


def applied(datastore, log):
    """Project the log; every projection reaches its end and parks nothing."""
    runner = Runner(datastore)
    try:
        runner.refresh()
        while runner.advance():
            pass
        assert {state.position for state in runner.states} == {log.last_position()}
    finally:
        runner.close()
    with datastore.reading() as connection:
        assert connection.execute("select projection, position, error from dead_letters").fetchall() == []
