"""Configurations of agents: what is accepted, in which canonical form, and every way to be refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.agents.kinds import KINDS, HttpConfig, parse_agent, read_agent
from domain.agents.models import OpenAIChatConfig
from domain.agents.scripted import ScriptedConfig
from domain.refusal import Malformed
from queries.agents import KINDS_LISTED

SECRET = "very-Secret-9731"


def problems(body, name="writer"):
    with pytest.raises(Malformed) as refused:
        parse_agent(name, body)
    return {(problem.path, problem.code): problem for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        ({"kind": "scripted", "script": "echo"}, {"kind": "scripted", "script": "echo", "usage": "counted"}),
        (
            {"kind": "scripted", "script": "slow", "usage": None, "delay": 1.5, "record": "/var/calls"},
            {"kind": "scripted", "script": "slow", "usage": "none", "delay": "1s500ms", "record": "/var/calls"},
        ),
        (
            {"kind": "scripted", "script": "answers", "answers": [None, {"a": None}], "usage": {"input_tokens": 1}},
            {
                "kind": "scripted",
                "script": "answers",
                "answers": [None, {"a": None}],
                "usage": {"input_tokens": 1, "output_tokens": 0, "cached_tokens": 0},
            },
        ),
        (
            {"kind": "scripted", "script": "fail", "error": {}, "cost": {"amount": 1, "currency": "USD"}},
            {
                "kind": "scripted",
                "script": "fail",
                "usage": "counted",
                "error": {"code": "agent_error", "message": "the script says so", "permanent": False},
                "cost": {"amount": "1", "currency": "USD"},
            },
        ),
        (
            {"kind": "http", "url": "https://a.example/run", "headers": {"Authorization": "Bearer ${KEY}", "X-A": "b"}},
            {
                "kind": "http",
                "url": "https://a.example/run",
                "headers": {"Authorization": "Bearer ${KEY}", "X-A": "b"},
                "deadline": "1m",
            },
        ),
        (
            {"kind": "openai_chat", "base_url": "http://[::1]:8000/v1", "model": "m", "api_key": "${KEY}"}
            | {"temperature": 1, "json_mode": True, "deadline": "PT2M"},
            {"kind": "openai_chat", "base_url": "http://[::1]:8000/v1", "model": "m", "api_key": "${KEY}"}
            | {"temperature": 1.0, "json_mode": "object", "deadline": "2m", "headers": {}},
        ),
    ],
)
def test_a_configuration_is_stored_in_its_canonical_form_which_reads_as_itself(body, canonical):
    assert parse_agent("writer", body) == canonical
    assert parse_agent("writer", canonical) == canonical
    assert parse_agent("writer", msgspec.json.decode(msgspec.json.encode(canonical))) == canonical


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"kind": "scripted", "script": "echo"}, ScriptedConfig),
        ({"kind": "http", "url": "http://a/"}, HttpConfig),
        ({"kind": "openai_chat", "base_url": "http://a/", "model": "m"}, OpenAIChatConfig),
    ],
)
def test_a_configuration_is_read_as_its_kind(body, kind):
    assert type(read_agent(body)) is kind


@pytest.mark.parametrize("name", ["", "Writer", "-a", "a b", "a" * 65, "a\n", "ä"])
def test_a_name_that_does_not_fit_is_refused(name):
    assert ("name", "invalid_name") in problems({"kind": "scripted", "script": "echo"}, name)


def test_every_problem_is_reported_at_once_and_located():
    found = problems({"kind": "scripted", "script": "eco", "delai": 1, "cost": {"amount": 1.5, "currency": "usd"}}, "A")
    assert set(found) == {
        ("name", "invalid_name"),
        ("script", "unknown_value"),
        ("delai", "unknown_key"),
        ("cost.amount", "invalid_value"),
        ("cost.currency", "invalid_value"),
    }
    assert found["delai", "unknown_key"].hint == "did you mean delay?"
    assert found["script", "unknown_value"].hint == "did you mean echo?"


@pytest.mark.parametrize(
    ("body", "where", "code"),
    [
        (3, "", "wrong_type"),
        ({}, "kind", "missing"),
        ({"kind": "htp"}, "kind", "unknown_value"),
        ({"kind": ["http"]}, "kind", "unknown_value"),
        ({"kind": "scripted"}, "script", "missing"),
        ({"kind": "scripted", "script": "echo", "usage": "lots"}, "usage", "unknown_value"),
        ({"kind": "scripted", "script": "echo", "usage": {"tokens": 1}}, "usage.tokens", "unknown_key"),
        ({"kind": "scripted", "script": "echo", "usage": {"input_tokens": "1"}}, "usage.input_tokens", "wrong_type"),
        ({"kind": "scripted", "script": "echo", "delay": "soon"}, "delay", "invalid_value"),
        ({"kind": "scripted", "script": "echo", "record": "calls"}, "record", "invalid_value"),
        ({"kind": "scripted", "script": "echo", "record": "/a/../b"}, "record", "invalid_value"),
        ({"kind": "scripted", "script": "echo", "answers": [1]}, "answers", "not_applicable"),
        ({"kind": "scripted", "script": "echo", "failures": 1}, "failures", "not_applicable"),
        ({"kind": "scripted", "script": "answers"}, "answers", "missing"),
        ({"kind": "scripted", "script": "answers", "answers": "x"}, "answers", "wrong_type"),
        ({"kind": "scripted", "script": "answers", "answers": [2**70]}, "answers[0]", "number_out_of_range"),
        ({"kind": "http"}, "url", "missing"),
        ({"kind": "http", "url": "a.example"}, "url", "invalid_url"),
        ({"kind": "http", "url": "ftp://a/"}, "url", "invalid_url"),
        ({"kind": "http", "url": "http://1.2.3.999/"}, "url", "invalid_url"),
        ({"kind": "http", "url": "http://a..b/"}, "url", "invalid_url"),
        ({"kind": "http", "url": "http://[::1]x/"}, "url", "invalid_url"),
        ({"kind": "http", "url": "http://[v1.a]/"}, "url", "invalid_url"),
        ({"kind": "http", "url": "http://a/ b"}, "url", "invalid_url"),
        ({"kind": "http", "url": "http://a/", "deadline": 0}, "deadline", "invalid_value"),
        ({"kind": "http", "url": "http://a/", "headers": {"Host": "b"}}, "headers.Host", "reserved_header"),
        ({"kind": "http", "url": "http://a/", "headers": {"X": "b\nc"}}, "headers.X", "invalid_header"),
        ({"kind": "http", "url": "http://a/", "headers": {"X": "1", "x": "2"}}, "headers.x", "duplicate_key"),
        ({"kind": "openai_chat", "base_url": "http://a/"}, "model", "missing"),
        (
            {"kind": "openai_chat", "base_url": "http://a/", "model": "m", "temperature": 9},
            "temperature",
            "invalid_value",
        ),
    ],
)
def test_each_mistake_is_found_where_it_is(body, where, code):
    assert (where, code) in problems(body)


@pytest.mark.parametrize(
    ("where", "body"),
    [
        ("api_key", {"kind": "openai_chat", "base_url": "http://a/", "model": "m", "api_key": SECRET}),
        ("url", {"kind": "http", "url": f"http://user:{SECRET}@a/"}),
        ("url", {"kind": "http", "url": f"http://a/?api_key={SECRET}"}),
        *(
            (f"headers.{name}", {"kind": "http", "url": "http://a/", "headers": {name: value}})
            for name, value in [
                ("Authorization", f"Bearer {SECRET}"),
                ("Authorization", f"{SECRET} ${{KEY}} {SECRET}"),
                ("X-Api-Key", SECRET),
                ("Ocp-Apim-Subscription-Key", SECRET),
                ("Cookie", f"session={SECRET}"),
                ("X-Anything", f"Bearer {SECRET}"),
            ]
        ),
    ],
)
def test_a_secret_is_a_reference_and_no_message_repeats_it(where, body):
    with pytest.raises(Malformed) as refused:
        parse_agent("writer", body)
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [(where, "secret_not_a_reference")]
    assert SECRET not in repr(refused.value.problems) + str(refused.value)


@pytest.mark.parametrize("setting", ["DATABASE_URL", "READ_DATABASE_URL", "PGPASSWORD"])
def test_the_platforms_own_settings_cannot_be_referred_to(setting):
    body = {"kind": "http", "url": "http://a/", "headers": {"X-Token": f"${{{setting}}}"}}
    assert ("headers.X-Token", "secret_reserved") in problems(body)


KEYS = ["kind", "script", "usage", "cost", "delay", "answers", "error", "url", "headers", "model", "amount", "currency"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["echo", "http://a/", "1s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=4),
    max_leaves=10,
)
BODIES = st.builds(
    lambda kind, rest: {**rest, "kind": kind},
    st.sampled_from(["scripted", "http", "openai_chat"]),
    st.dictionaries(st.sampled_from(KEYS) | st.text(), VALUES),
)


@given(VALUES | BODIES)
def test_any_body_is_a_canonical_configuration_or_malformed(body):
    try:
        canonical = parse_agent("writer", body)
    except Malformed:
        assert problems(body)
        return
    assert parse_agent("writer", canonical) == canonical


def test_the_list_of_agents_takes_every_kind_as_a_filter() -> None:
    assert set(KINDS_LISTED) == set(KINDS)


@pytest.mark.parametrize("body", [{"kind": "scripted", "script": "echo"}, {"kind": "http", "url": "https://a.example"}])
def test_every_kind_takes_a_limit_of_calls(body):
    assert parse_agent("writer", body | {"max_open": 1})["max_open"] == 1
    assert "max_open" not in parse_agent("writer", body | {"max_open": None})


@pytest.mark.parametrize("most", [0, -1, 1.0, 2.5, True, "3", [1], 10**9 + 1, 10**30])
def test_a_limit_of_calls_is_a_whole_number_from_one_up(most):
    found = problems({"kind": "scripted", "script": "echo", "max_open": most})
    assert [path for path, _ in found] == ["max_open"]
