"""Whatever an agent answers, the result is an answer that can be stored; reading it raises nothing."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.agents.calls import Accepted, Completed, Failed
from domain.agents.models import AnthropicConfig, OpenAIChatConfig, OpenAIResponsesConfig
from domain.jsonvalue import parse_json
from gateway.exchange import Reply
from gateway.http import read_reply as read_http
from gateway.model import read_reply as read_model
from gateway.models import dialect_of
from gateway.retry_after import LONGEST, read_retry_after

NUMBERS = st.integers() | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["output", "usage", "cost", "error", "choices", "message", "amount"]), inner)
    ),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "usage": st.dictionaries(
            st.sampled_from(["input_tokens", "prompt_tokens", "prompt_tokens_details", "cache_read_input_tokens"]), JSON
        ),
        "cost": st.fixed_dictionaries({"amount": NUMBERS | st.text(), "currency": st.just("USD")}),
        "content": st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": JSON}), max_size=2) | JSON,
        "output": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.just("message"),
                    "content": st.lists(st.fixed_dictionaries({"type": st.just("output_text"), "text": JSON})) | JSON,
                }
            ),
            max_size=2,
        )
        | JSON,
        "status": st.sampled_from(["completed", "failed", "incomplete", "queued", None]),
        "stop_reason": st.sampled_from(["end_turn", "refusal", None]),
        "choices": st.lists(st.fixed_dictionaries({"message": st.fixed_dictionaries({"content": JSON})}), max_size=2),
    },
)


def _json(value):
    return json.dumps(value).encode()


BODIES = st.binary(max_size=60) | JSON.map(_json) | ENVELOPES.map(_json)
REPLIES = st.builds(
    Reply,
    status=st.sampled_from([200, 200, 200, 200, 201, 202, 302, 404, 429, 500, 503]),
    media_type=st.sampled_from(["", "application/json", "application/problem+json", "text/plain", "image/png"]),
    retry_after=st.none()
    | st.text()
    | st.sampled_from(["1", "1e9", "99999999999999", "Wed, 21 Oct 2037 07:28:00 GMT"]),
    body=BODIES,
    whole=st.sampled_from([True, True, True, False]),
    at=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),
)


DIALECTS = [
    dialect_of(kind(base_url="https://model.example", model="m", headers={}, json_mode=mode))
    for kind in (OpenAIChatConfig, OpenAIResponsesConfig, AnthropicConfig)
    for mode in ("off", "object")
]


@given(REPLIES, st.sampled_from([None, *DIALECTS]))
def test_every_reply_is_an_answer_that_can_be_stored(reply, dialect):
    answer = read_http(reply) if dialect is None else read_model(reply, dialect)

    assert isinstance(answer, Completed | Failed | Accepted)
    written = msgspec.json.encode(answer)
    assert b"\\u0000" not in written.replace(b"\\\\", b"")
    parse_json(written)
    assert msgspec.json.decode(written, type=type(answer)) == answer


absurd_dates = st.from_regex(
    r"Wed, \d{1,9} Oct \d{1,9} \d{1,9}:\d{1,9}(:\d{1,9})? ([+-]\d{1,12}|[A-Z]{1,5})", fullmatch=True
)
dates = st.datetimes().map(lambda at: f"{at:%a, %d %b %Y %H:%M:%S} GMT")
sent_bytes = st.binary().map(lambda sent: sent.decode("latin-1"))


@given(st.integers(24 * 60 * 60, 10**400))
def test_a_wait_of_more_than_a_day_is_a_day(seconds):
    assert read_retry_after(str(seconds), datetime(2030, 1, 1, tzinfo=UTC)) == LONGEST


@given(st.text() | sent_bytes | st.integers().map(str) | dates | absurd_dates)
def test_retry_after_is_none_or_at_most_a_day(header):
    wait = read_retry_after(header, datetime(2030, 1, 1, tzinfo=UTC))
    assert wait is None or timedelta() <= wait <= LONGEST
