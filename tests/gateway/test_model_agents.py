"""Models of other protocols than chat: what is sent, and what answers, streams and failures mean."""

from pathlib import Path

import msgspec
import pytest

from domain.agents.calls import Completed, Failed

RECORDED = Path(__file__).with_name("recorded")
KINDS = ("openai_chat", "openai_responses", "anthropic")
STREAMED = {"openai_chat": (19, 10, 0), "openai_responses": (37, 11, 0), "anthropic": (537, 15, 512)}


def model(rig, kind, **config):
    return rig.config(**({"kind": kind, "base_url": f"{rig.server.url}/v1", "model": "m-1"} | config))


def recorded(name):
    return (RECORDED / name).read_bytes()


def stream(rig, body):
    return rig.response(200, body, content_type="text/event-stream; charset=utf-8")


def counted(usage):
    return usage.input_tokens, usage.output_tokens, usage.cached_tokens


def test_a_message_is_sent_to_anthropic(rig, monkeypatch):
    monkeypatch.setenv("WRITER_KEY", "sk-ant-1")
    rig.server.always(rig.response(200, recorded("anthropic.json"), content_type="application/json"))
    config = model(rig, "anthropic", api_key="${WRITER_KEY}", system="Be brief.", json_mode="schema", temperature=0)

    answer = rig.ask(config, rig.call({"topic": "rain"}, parameters={"top_k": 3}, output_schema={"type": "object"}))

    assert isinstance(answer, Completed)
    assert answer.output == {"wet": True}
    assert counted(answer.usage) == (21 + 188086 + 1024, 393, 1024)
    assert answer.usage.raw["cache_creation"] == {"ephemeral_5m_input_tokens": 188000, "ephemeral_1h_input_tokens": 86}
    request = rig.server.requests[0]
    assert request.path == "/v1/messages"
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == ("sk-ant-1", "2023-06-01")
    assert request.headers["idempotency-key"] == f"{rig.execution_id}:write:1"
    assert request.json == {
        "model": "m-1",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": '{"topic":"rain"}'}],
        "system": "Be brief.",
        "temperature": 0,
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "top_k": 3,
    }


def test_a_response_is_requested_from_openai(rig, monkeypatch):
    monkeypatch.setenv("WRITER_KEY", "sk-1")
    rig.server.always(rig.response(200, recorded("openai_responses.json"), content_type="application/json"))
    config = model(rig, "openai_responses", api_key="${WRITER_KEY}", system="Be brief.", max_tokens=9, json_mode=True)

    answer = rig.ask(config, rig.call("rain", parameters={"reasoning": {"effort": "low"}}))

    assert answer.output == {"wet": True}
    assert counted(answer.usage) == (36, 87, 12)
    assert answer.usage.raw["output_tokens_details"] == {"reasoning_tokens": 64}
    request = rig.server.requests[0]
    assert request.path == "/v1/responses"
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.json == {
        "model": "m-1",
        "input": "rain",
        "instructions": "Be brief.",
        "max_output_tokens": 9,
        "text": {"format": {"type": "json_object"}},
        "reasoning": {"effort": "low"},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_an_answer_with_its_usage(rig, kind):
    rig.server.always(stream(rig, recorded(f"{kind}.events")))
    answer = rig.ask(model(rig, kind, stream=True))
    assert isinstance(answer, Completed), answer
    assert answer.output == "Rain."
    assert counted(answer.usage) == STREAMED[kind]
    assert rig.server.requests[0].json["stream"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_may_come_in_any_pieces(rig, kind):
    body = recorded(f"{kind}.events").replace(b"\n", b"\r\n")
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    rig.server.always(head + pieces + b"0\r\n\r\n")
    assert rig.ask(model(rig, kind, stream=True)).output == "Rain."


@pytest.mark.parametrize(
    ("kind", "until", "spent"),
    [
        ("openai_chat", b'"stop"', None),
        ("openai_responses", b"event: response.c", None),
        ("anthropic", b"event: message_stop", (537, 15, 512)),
    ],
)
def test_a_stream_that_ends_early_is_no_answer_and_its_usage_counts(rig, kind, until, spent):
    body = recorded(f"{kind}.events")
    rig.server.always(stream(rig, body[: body.rindex(until)]))
    answer = rig.ask(model(rig, kind, stream=True))
    assert (answer.error.code, answer.error.permanent) == ("agent_answer_malformed", False)
    assert (counted(answer.usage) if answer.usage else None) == spent


def test_the_usage_of_a_stream_that_takes_too_long_counts(rig):
    start = recorded("anthropic.events").partition(b"event: content_block_stop")[0]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 100000\r\n\r\n"
    rig.server.always(head + start)
    answer = rig.ask(model(rig, "anthropic", stream=True, deadline="1s"))
    assert answer.error.code == "deadline_exceeded"
    assert counted(answer.usage) == (537, 1, 512)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: {\n\n",
        b"data: []\n\n",
        b'data: {"type":"error","error":{"type":"overloaded_error"}}\n\n',
        b'data: {"choices":[{"delta":{"content":3}}]}\n\n',
        b'data: {"type":"message_start","message":{"usage":{"input_tokens":-1}}}\n\ndata: {"type":"message_stop"}\n\n',
        b"data: " + b"x" * (3 << 20),
        b'data: {"a":"\\u0000"}\n\n',
    ],
    ids=range(8),
)
def test_a_stream_that_makes_no_sense_is_no_answer(rig, kind, body):
    rig.server.always(stream(rig, body))
    answer = rig.ask(model(rig, kind, stream=True))
    assert isinstance(answer, Failed)
    assert answer.error.code == "agent_answer_malformed"


def test_a_secret_in_a_stream_is_masked(rig, monkeypatch):
    monkeypatch.setenv("WRITER_KEY", "hunter22hunter")
    body = recorded("anthropic.events").replace(b'"Ra"', b'"hunter22"').replace(b'"in."', b'"hunter"')
    rig.server.always(stream(rig, body))
    assert rig.ask(model(rig, "anthropic", stream=True, api_key="${WRITER_KEY}")).output == "***"


@pytest.mark.parametrize(
    ("error", "code", "permanent"),
    [
        ({"code": "rate_limit_exceeded", "message": "slow down"}, "agent_rate_limited", False),
        ({"code": "server_error", "message": "sorry"}, "agent_error", False),
        ({"code": "invalid_prompt", "message": "no"}, "agent_refused", True),
        (None, "agent_refused", True),
    ],
)
def test_a_failed_response_states_its_reason(rig, error, code, permanent):
    usage = {"input_tokens": 5, "output_tokens": 0}
    rig.server.always(rig.response(200, {"status": "failed", "error": error, "usage": usage, "output": []}))
    answer = rig.ask(model(rig, "openai_responses"))
    assert (answer.error.code, answer.error.permanent) == (code, permanent)
    assert counted(answer.usage) == (5, 0, 0)


@pytest.mark.parametrize("kind", ["openai_responses", "anthropic"])
def test_a_refusal_is_permanent_and_costs(rig, kind):
    document = msgspec.json.decode(recorded(f"{kind}.json"))
    if kind == "anthropic":
        document["stop_reason"] = "refusal"
    else:
        document["output"][1]["content"] = [{"type": "refusal", "refusal": "I would rather not."}]
    rig.server.always(rig.response(200, document))
    answer = rig.ask(model(rig, kind))
    assert (answer.error.code, answer.error.permanent) == ("agent_refused", True)
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("kind", ["openai_responses", "anthropic"])
@pytest.mark.parametrize("field", ["output", "content"])
@pytest.mark.parametrize("value", [None, 3, [], [3], [{"type": "text"}], [{"type": "message", "content": 3}]])
def test_an_answer_without_text_is_no_answer_and_costs(rig, kind, field, value):
    document = msgspec.json.decode(recorded(f"{kind}.json"))
    if field not in document:
        return
    rig.server.always(rig.response(200, document | {field: value}))
    answer = rig.ask(model(rig, kind))
    assert answer.error.code == "agent_answer_malformed"
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize(("kind", "name"), [("openai_responses", "input"), ("anthropic", "messages")])
def test_parameters_cannot_replace_the_message(rig, kind, name):
    error = rig.ask(model(rig, kind), rig.call(parameters={name: []})).error
    assert (error.code, error.permanent) == ("parameter_reserved", True)
    assert rig.server.requests == []
