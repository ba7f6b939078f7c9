"""OpenAI-compatible models: what is asked, and what a completion means."""

import pytest

from domain.agents.calls import Completed, Failed, Usage

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
COUNTED = Usage(9, 2, 4, raw=USAGE)


def completion(message, **more):
    return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": USAGE, **more}


def test_the_message_is_sent_and_the_text_comes_back(rig):
    rig.server.always(rig.response(200, completion({"role": "assistant", "content": "Rain."})))
    config = rig.chat(system="Be brief.", temperature=0.2, max_tokens=50)

    assert rig.ask(config, rig.call({"topic": "rain"}, parameters={"seed": 7, "max_tokens": 20})) == Completed(
        "Rain.", usage=COUNTED
    )
    request = rig.server.requests[0]
    assert request.path == "/v1/chat/completions"
    assert request.headers["idempotency-key"] == f"{rig.execution_id}:write:1"
    assert "authorization" not in request.headers
    assert request.json == {
        "model": "m-1",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": '{"topic":"rain"}'}],
        "temperature": 0.2,
        "max_tokens": 20,
        "seed": 7,
    }


def test_the_path_goes_before_the_query_of_the_address(rig):
    rig.server.always(rig.response(200, completion({"content": "x"})))
    rig.ask(rig.config(kind="openai_chat", base_url=f"{rig.server.url}/v1/?api-version=2", model="m"))
    assert rig.server.requests[0].path == "/v1/chat/completions?api-version=2"


def test_a_text_in_parts_is_joined(rig):
    parts = [{"type": "text", "text": "Ra"}, {"type": "text", "text": "in."}]
    rig.server.always(rig.response(200, completion({"content": parts})))
    assert rig.ask(rig.chat()) == Completed("Rain.", usage=COUNTED)


@pytest.mark.parametrize(("mode", "kind"), [("object", "json_object"), ("schema", "json_schema")])
def test_in_a_json_mode_the_output_is_the_parsed_value(rig, mode, kind):
    schema = {"type": "object"}
    rig.server.always(rig.response(200, completion({"content": '{"wet": true}'})))

    answer = rig.ask(rig.chat(json_mode=mode), rig.call(output_schema=schema))

    assert answer == Completed({"wet": True}, usage=COUNTED)
    asked = rig.server.requests[0].json["response_format"]
    assert asked["type"] == kind
    assert asked.get("json_schema", {}).get("schema") == (schema if mode == "schema" else None)


@pytest.mark.parametrize("content", ["not json", '{"a": 1e999}', '{"a": "\\u0000"}', None])
def test_tokens_of_an_unusable_completion_are_still_known(rig, content):
    rig.server.always(rig.response(200, completion({"content": content})))
    answer = rig.ask(rig.chat(json_mode="object"))
    assert isinstance(answer, Failed)
    assert answer.error.code == "agent_answer_malformed"
    assert answer.usage == COUNTED


def test_a_refusal_is_permanent(rig):
    rig.server.always(rig.response(200, completion({"content": None, "refusal": "I would rather not."})))
    answer = rig.ask(rig.chat())
    assert (answer.error.code, answer.error.permanent) == ("agent_refused", True)
    assert "rather not" in answer.error.message
    assert answer.usage == COUNTED


@pytest.mark.parametrize(
    "body", [3, [], {}, {"choices": []}, {"choices": [{}]}, {"choices": [3]}, {"choices": [{"message": {}}]}]
)
def test_what_is_not_a_completion_is_a_failure(rig, body):
    rig.server.always(rig.response(200, body))
    assert rig.ask(rig.chat()).error.code == "agent_answer_malformed"


@pytest.mark.parametrize(
    ("status", "code"), [(401, "agent_refused"), (429, "agent_rate_limited"), (500, "agent_error")]
)
def test_errors_mean_what_they_mean_for_every_agent(rig, status, code):
    rig.server.always(rig.response(status, {"error": {"message": "quota", "type": "t"}}, retry_after="3"))
    error = rig.ask(rig.chat()).error
    assert error.code == code
    assert "quota" in error.message


def test_parameters_cannot_replace_the_message(rig):
    error = rig.ask(rig.chat(), rig.call(parameters={"messages": []})).error
    assert (error.code, error.permanent) == ("parameter_reserved", True)
    assert rig.server.requests == []
