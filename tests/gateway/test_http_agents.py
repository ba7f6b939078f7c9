"""Agents behind the JSON contract: what is asked, and what every answer means."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest

from app.clock import SYSTEM_CLOCK
from domain.agents.calls import Accepted, Completed, Failed, Usage
from domain.money import Money
from gateway.exchange import post
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed


def test_the_request_carries_the_whole_call(rig):
    rig.server.always(rig.response(200, {"output": 1}))
    asked = rig.call({"topic": "rain"}, parameters={"tone": "dry"}, output_schema={"type": "integer"})

    before = datetime.now(UTC)
    assert rig.ask(rig.http(deadline="30s"), asked) == Completed(1)

    request = rig.server.requests[0]
    sent = request.json
    deadline = datetime.fromisoformat(sent.pop("deadline"))
    assert timedelta(seconds=29) < deadline - before < timedelta(seconds=35)
    assert datetime.fromisoformat(request.headers["x-procession-deadline"]) == deadline
    assert request.path == "/run"
    assert request.headers["idempotency-key"] == f"{rig.execution_id}:write:1"
    step = f"https://flow.example/api/executions/{rig.execution_id}/steps/write"
    assert sent == {
        "execution_id": str(rig.execution_id),
        "step": "write",
        "attempt": 1,
        "agent": "writer",
        "process": "letters",
        "version": 3,
        "message": {"topic": "rain"},
        "parameters": {"tone": "dry"},
        "output_schema": {"type": "integer"},
        "callback": {
            "url": f"{step}/complete",
            "fail_url": f"{step}/fail",
            "heartbeat_url": f"{step}/heartbeat",
            "token": "token-of-this-attempt",
        },
    }


@pytest.mark.parametrize(
    ("body", "output"),
    [
        (b'{"output": {"a": [1, null]}, "more": 1}', {"a": [1, None]}),
        (b'{"output": null}', None),
        (b'{"letter": "x"}', {"letter": "x"}),
        (b'[{"output": 1}]', [{"output": 1}]),
        (b'"words"', "words"),
    ],
)
def test_a_json_answer_is_the_output_or_an_envelope_with_the_output(rig, body, output):
    rig.server.always(rig.response(200, body, content_type="application/json; charset=utf-8"))
    assert rig.ask(rig.http()) == Completed(output)


def test_a_text_answer_is_the_output(rig):
    rig.server.always(rig.response(200, "Grüße".encode(), content_type="text/plain"))
    assert rig.ask(rig.http()) == Completed("Grüße")


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 12, "output_tokens": 34, "cached_tokens": 5},
        {"prompt_tokens": 12, "completion_tokens": 34, "prompt_tokens_details": {"cached_tokens": 5}, "x": 1},
        {"input_tokens": 12, "output_tokens": 34, "input_tokens_details": {"cached_tokens": 5}},
        {"input_tokens": 12, "output_tokens": 34, "cache_read_input_tokens": 5},
    ],
)
def test_usage_is_counted_in_either_spelling_and_kept_raw(rig, usage):
    rig.server.always(rig.response(200, {"output": "x", "usage": usage}))
    assert rig.ask(rig.http()) == Completed("x", usage=Usage(12, 34, 5, raw=usage))


@pytest.mark.parametrize("written", ['"0.12345678901234567890123"', "0.12345678901234567890123"])
def test_a_cost_is_exact_whether_written_as_text_or_as_a_number(rig, written):
    body = f'{{"output": 1, "cost": {{"amount": {written}, "currency": "USD"}}}}'.encode()
    rig.server.always(rig.response(200, body, content_type="application/json"))
    answer = rig.ask(rig.http())
    assert answer.cost == Money(Decimal("0.12345678901234567890123"), "USD")
    assert (answer.metered is not None and answer.metered.flags == ["amount_as_number"]) == ('"' not in written)


def test_an_agent_may_accept_and_answer_later(rig):
    rig.server.always(rig.response(202))
    assert rig.ask(rig.http()) == Accepted()


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        (400, "agent_refused", True),
        (401, "agent_refused", True),
        (404, "agent_refused", True),
        (422, "agent_refused", True),
        (429, "agent_rate_limited", False),
        (500, "agent_error", False),
        (502, "agent_error", False),
        (503, "agent_unavailable", False),
        (204, "agent_answer_malformed", False),
        (302, "agent_redirected", True),
    ],
)
def test_a_status_says_whether_to_try_again(rig, status, code, permanent):
    body = {"error": {"message": "because"}} if status != 204 else b""
    rig.server.always(rig.response(status, body, location="/elsewhere"))

    answer = rig.ask(rig.http())

    assert isinstance(answer, Failed)
    assert (answer.error.code, answer.error.permanent) == (code, permanent)
    assert answer.error.details == {"status": status}
    assert ("because" in answer.error.message) == (status >= 400)
    assert len(rig.server.requests) == 1


def test_retry_after_is_seconds_or_a_date(rig):
    rig.server.always(rig.response(429, retry_after="7"))
    assert rig.ask(rig.http()).error.retry_after == timedelta(seconds=7)

    at = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    rig.server.always(rig.response(503, retry_after=at))
    assert timedelta(minutes=4) < rig.ask(rig.http()).error.retry_after <= timedelta(minutes=5)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"output": 1, "output": 2}', "twice"),
        (b'{"output": 1e999}', "finite"),
        (b'{"output": NaN}', "NaN"),
        (b'{"output": 9223372036854775808}', "64 bits"),
        (b'{"output": "\\u0000"}', "NUL"),
        (b'{"output": {"\\u0000": 1}}', "NUL"),
        (b'{"output": "\\ud800"}', "surrogate"),
        (b'{"output": ' + b"[" * 100 + b"]" * 100 + b"}", "deeper"),
        (b"[" * 200_000, "deeper"),
        (b'"' + b"x" * (1 << 20) + b'"', "larger than"),
        (b'{"output": 1, "usage": 3}', "usage is not an object"),
        (b'{"output": 1, "cost": "0.1"}', "cost is not an object"),
        (b'{"output": 1, "cost": {"amount": "x", "currency": "USD"}}', "not a decimal"),
        (b'{"output": 1, "cost": {"amount": "-1", "currency": "USD"}}', "negative"),
        (b'{"output": 1, "cost": {"amount": "1", "currency": "dollars"}}', "currency"),
        (b'{"output": 1, "cost": {"amount": 1e-300, "currency": "USD"}}', "digits"),
        (b'{"output": 1, "cost": {"currency": "USD"}}', "NoneType"),
    ],
)
def test_an_unusable_answer_is_a_failure_that_says_why(rig, body, said):
    rig.server.always(rig.response(200, body, content_type="application/json"))

    answer = rig.ask(rig.http())

    assert isinstance(answer, Failed)
    assert answer.error.code == "agent_answer_malformed"
    assert not answer.error.permanent
    assert said in answer.error.message


@pytest.mark.parametrize(
    "headers", [{"content_type": "image/png"}, {"content_type": "application/json", "content_encoding": "gzip"}]
)
def test_a_form_that_was_not_asked_for_is_not_read(rig, headers):
    rig.server.always(rig.response(200, b"1", **headers))
    assert rig.ask(rig.http()).error.code == "agent_answer_malformed"


def test_a_deadline_ends_the_call(rig):
    async def never(request):
        await asyncio.Event().wait()

    rig.server.respond = never
    answer = rig.ask(rig.http(deadline="50ms"))

    assert answer.error.code == "deadline_exceeded"
    assert not answer.error.permanent
    assert rig.server.closed_by_peer.wait(60)


def test_the_deadline_of_the_attempt_counts_when_it_is_sooner(rig):
    rig.server.always(rig.response(200, {"output": 1}))
    passed = rig.call(deadline=datetime.now(UTC) - timedelta(seconds=1))

    assert rig.ask(rig.http(), passed).error.code == "deadline_exceeded"
    assert rig.server.requests == []


def test_nobody_listening_is_unreachable(rig):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    answer = rig.ask(rig.config(kind="http", url=f"http://127.0.0.1:{port}/"))
    assert (answer.error.code, answer.error.permanent) == ("agent_unreachable", False)


@pytest.mark.parametrize(
    "broken", [None, b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}", b"nonsense\r\n\r\n"], ids=repr
)
def test_a_connection_that_breaks_is_unreachable(rig, broken):
    rig.server.hangs_up = True
    rig.server.always(broken)
    answer = rig.ask(rig.http())
    assert (answer.error.code, answer.error.permanent) == ("agent_unreachable", False)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://1.2.3.999/", {}),
        ("gopher://h/", {}),
        ("{}/run", {"x": "a\nb"}),
        ("{}/", {"x": "ü"}),
    ],
)
def test_what_cannot_be_sent_is_a_permanent_failure(server, url, headers):
    async def send():
        outgoing = Outgoing(SYSTEM_CLOCK)
        try:
            return await post(outgoing, url.format(server.url), headers, b"1", timedelta(seconds=5), Disclosed())
        finally:
            await outgoing.close()

    error = asyncio.run(send()).error
    assert (error.code, error.permanent) == ("agent_misconfigured", True)


def test_a_host_nobody_knows_is_unreachable(rig):
    answer = rig.ask(rig.config(kind="http", url="http://nobody.invalid/"))
    assert (answer.error.code, answer.error.permanent) == ("agent_unreachable", False)


def test_proxies_of_the_environment_are_not_used_for_this_machine(rig, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    rig.server.always(rig.response(200, {"output": 1}))
    assert rig.ask(rig.http()) == Completed(1)


def test_cookies_are_not_kept(rig):
    rig.server.always(rig.response(200, {"output": 1}, set_cookie="session=abc; Path=/"))
    rig.ask(rig.http())
    rig.ask(rig.http())
    assert "cookie" not in rig.server.requests[1].headers
