"""Every function that reads what others send takes time in proportion to its length, and returns or refuses.

So do decisions on executions of which many steps go through lists at once.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest
from starlette.requests import Request

from app.cli.wording import short
from app.documents import read_document
from domain.agents.kinds import parse_agent
from domain.agents.literals import read_literal
from domain.agents.models import OpenAIChatConfig
from domain.calendar.cron import check_cron
from domain.calendar.durations import parse_duration
from domain.calendar.times import check_time, check_zone
from domain.calendar.zones import parse_time, parse_zone
from domain.event import Cause, Event
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.events.execution import Trigger
from domain.executions.state.evolution import fold
from domain.executions.state.model import Execution
from domain.jsonvalue import parse_json
from domain.language import load_definition, parse_definition
from domain.language.expressions.conditions import parse_condition
from domain.language.expressions.json_text import json_object_in
from domain.language.expressions.problems import ExpressionProblem
from domain.language.expressions.templates import parse_template
from domain.language.types.output_schema import compile_output_schema
from domain.money import parse_money
from domain.processes.plan import compile_plan
from domain.refusal import Refusal
from domain.words import did_you_mean, slip_of
from edge.bodies import media_type
from edge.cookies import readable_cookies
from edge.headers import bearer_token, expected_revision, idempotency_key
from edge.instants import parse_instant, parse_point
from edge.parameters import refuse_parameters
from edge.references import agent_named, execution_named, process_named
from edge.refusals import unknown_filter
from gateway import http, model
from gateway.answers import read_spending
from gateway.channels import is_web_address, read_mail_server
from gateway.event_streams import EventReader
from gateway.exchange import Reply, failure
from gateway.failures import AnswerMalformed
from gateway.mailboxes import read_mailbox
from gateway.masking import mask
from gateway.openai_chat import OpenAIChat
from gateway.retry_after import read_retry_after
from queries.paging import read_cursor
from tests.laws.growing_templates import cases
from tests.laws.hostile_texts import AGENTS, CHECKED, DEFINITIONS, EXPRESSIONS, FIELDS, JSON, SHORT_TEXTS, YAML

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = ("agent", "condition", "depends_on", "id", "message", "on_error", "parameters", "retry", "timeout", "type")
ID = UUID(int=1)
CAUSE = Cause(NOW, "user:ann")
ITEMS = 20
SAY = [{"id": "say", "type": "agent_task", "agent": "echo", "message": "go"}]
EACH = {"type": "sub_process", "for_each": {"items": list(range(ITEMS)), "max_parallel": ITEMS}, "steps": SAY}


class Growing(NamedTuple):
    """A function, and an input for it by size. size: of the small one; the large one is four times as large."""

    name: str
    run: Callable[[Any], object]
    make: Callable[[int], Any]
    size: int


def _reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status, "application/json", None, body, True, NOW)


_CHAT = OpenAIChat(OpenAIChatConfig(base_url="https://a.example", model="m", headers={}, json_mode="object"))


def _streamed(sent: bytes) -> None:
    reader = EventReader(_CHAT.fold())
    for n in range(0, len(sent), 5):
        reader.feed(sent[n : n + 5])
    reader.fold.document()


def _chat(body: bytes) -> bytes:
    return msgspec.json.encode({"choices": [{"message": {"content": body.decode()}}]})


def _request(name: str, value: str) -> Request:
    headers = [(name.encode(), value.encode("latin-1", "replace"))]
    return Request({"type": "http", "headers": headers, "query_string": b"", "method": "GET", "path": "/"})


def _cookies(text: str) -> dict[str, str]:
    headers = readable_cookies([(b"cookie", text.encode("latin-1", "replace"))])
    return Request({"type": "http", "headers": headers}).cookies


def _query(text: str) -> Request:
    scope = {"type": "http", "headers": [], "query_string": text.encode(), "method": "GET", "path": "/"}
    return Request(scope | {"route": None})


READERS: dict[str, Callable[[str], object]] = {
    "retry-after": lambda text: read_retry_after(text, NOW),
    "duration": parse_duration,
    "cron": check_cron,
    "zone": parse_zone,
    "zone of a schedule": check_zone,
    "time of day": check_time,
    "time": parse_time,
    "instant": parse_instant,
    "point": parse_point,
    "cursor": partial(read_cursor, "a"),
    "mailbox": read_mailbox,
    "web address": is_web_address,
    "mail server": read_mail_server,
    "name of an agent": agent_named,
    "name of a process": process_named,
    "id of an execution": execution_named,
    "short": short,
    "literal": read_literal,
    "money": lambda text: parse_money(text, "USD"),
    "JSON in text": json_object_in,
    "suggestion": lambda text: did_you_mean(text, KNOWN),
    "slip": lambda text: slip_of(text, KNOWN),
    "unknown filter": lambda text: unknown_filter(text, KNOWN),
    "content type": lambda text: media_type(_request("content-type", text)),
    "If-Match": lambda text: expected_revision(_request("if-match", text)),
    "Authorization": lambda text: bearer_token(_request("authorization", text)),
    "Cookie": lambda text: _cookies(text),
    "Idempotency-Key": lambda text: idempotency_key(_request("idempotency-key", text)),
}


def _quietly(run: Callable[[Any], object]) -> Callable[[Any], object]:
    """Return `run` with its refusals as values; everything else that it raises is a fault."""

    def running(given: Any) -> object:
        try:
            return run(given)
        except (Refusal, ValueError, ExpressionProblem, AnswerMalformed) as refusal:
            return refusal

    return running


def _in_a_step(make: Callable[[int], str], field: str, n: int) -> str:
    first = {"id": "a", "agent": "x", "message": "m"}
    return json.dumps({"name": "p", "steps": [first, {**first, "id": "b", "depends_on": "a", field: make(n)}]})


def _bare(make: Callable[[int], str], n: int) -> str:
    return make(n).replace("{{", "").replace("}}", "")


def _one_step(make: Callable[[int], str], n: int) -> str:
    return f"name: p\nsteps:\n  - {{id: a, agent: x, message: m, {make(n)}}}\n"


@cache
def _begun(on_close: str, steps: int) -> Execution:
    """Return an execution of which every step waits for its items."""
    written = [{"id": f"each{n}", "on_parent_close": on_close, **EACH} for n in range(steps)]
    plan = compile_plan(load_definition({"name": "p", "steps": written}), UUID(int=2), 1)
    return start_execution(ID, plan, {}, Trigger(), CAUSE, callees=plan.bodies).execution


def _cancelled(on_close: str, steps: int) -> tuple[Execution, list[Event]]:
    """Return that execution, and the events of its cancellation."""
    begun = _begun(on_close, steps)
    return begun, cancel_execution(begun, "enough", CAUSE).events


def growing() -> list[Growing]:
    """Return every function with every input of its kind."""
    found: list[Growing] = []

    def add(name: str, run: Callable[[Any], object], make: Callable[[int], Any], size: int) -> None:
        found.append(Growing(name, _quietly(run), make, size))

    for name, body in JSON.items():
        add(f"JSON: {name}", parse_json, body, 12_000)
        add(f"document: {name}", read_document, body, 3_000)
        add(f"answer: {name}", lambda sent: http.read_reply(_reply(b'{"output":' + sent + b"}")), body, 12_000)
        add(f"error: {name}", lambda sent: failure(_reply(sent, 500)), body, 12_000)
        add(f"spending: {name}", lambda sent: read_spending(b'{"usage":' + sent + b"}"), body, 12_000)
        add(f"chat: {name}", lambda sent: model.read_reply(_reply(_chat(sent)), _CHAT), body, 12_000)
        add(f"stream: {name}", lambda sent: _streamed(b"data: " + sent + b"\n\n"), body, 12_000)
        add(f"stream of many: {name}", lambda sent: _streamed(b"data: {}\n\n" * len(sent)), body, 3_000)
    for name, text in SHORT_TEXTS.items():
        for reader, read in READERS.items():
            add(f"{reader}: {name}", read, text, 20_000)
        add(f"masking: {name}", lambda sent: mask(sent.encode(), ["s3cret-\\%x"]), text, 20_000)
        add(f"query: {name}", lambda sent: refuse_parameters(_query(sent)), text, 5_000)
    for name, text in EXPRESSIONS.items():
        add(f"template: {name}", parse_template, text, 4_000)
        add(f"condition: {name}", parse_condition, partial(_bare, text), 4_000)
        add(f"message: {name}", parse_definition, partial(_in_a_step, text, "message"), 2_000)
        add(
            f"condition of a step: {name}",
            parse_definition,
            partial(_in_a_step, partial(_bare, text), "condition"),
            2_000,
        )
    for name, text in YAML.items():
        add(f"YAML: {name}", parse_definition, text, 2_000)
    for name, text in DEFINITIONS.items():
        add(f"definition: {name}", parse_definition, text, 60)
    for name, text in FIELDS.items():
        add(f"step: {name}", parse_definition, partial(_one_step, text), 1_000)
    for name, config in AGENTS.items():
        add(f"agent: {name}", partial(parse_agent, "a"), config, 1_000)
    for name, (schema, value) in CHECKED.items():
        add(f"schema: {name}", compile_output_schema(schema).problems, value, 20_000)
    for name, run, make, size in cases():
        add(name, run, make, size)
    for closing in ("cancel", "abandon"):
        add(
            f"cancel of lists: {closing}",
            lambda begun: cancel_execution(begun, "enough", CAUSE),
            partial(_begun, closing),
            200,
        )
        add(f"fold of cancelled lists: {closing}", lambda given: fold(*given), partial(_cancelled, closing), 200)
    return found


ALL = growing()
RUNS = 5


def seconds(case: Growing, given: object) -> float:
    """Return the processor time of one run: other work on the machine does not count."""
    begin = time.thread_time()
    case.run(given)
    return time.thread_time() - begin


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_four_times_as_much_takes_no_more_than_nine_times_as_long(case: Growing) -> None:
    short, long = case.make(case.size), case.make(4 * case.size)
    small = large = float("inf")
    for _ in range(RUNS):
        small, large = min(small, seconds(case, short)), min(large, seconds(case, long))
        # Quadratic work would take sixteen times as long. Less than a few hundredths of a second cannot be told apart.
        if large < 9 * small + 0.05:
            return
    raise AssertionError(f"{small:.3f} s, and {large:.3f} s for four times as much")
