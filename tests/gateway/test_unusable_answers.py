"""Answers of agents that can not be used: what they cost is known, and a strange header breaks nothing."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gateway.retry_after import LONGEST, read_retry_after


@pytest.mark.parametrize(
    ("body", "tokens", "amount"),
    [
        (
            b'{"output": "a\\u0000b", "usage": {"input_tokens": 7}, "cost": {"amount": "0.5", "currency": "USD"}}',
            7,
            "0.5",
        ),
        (b'{"output": 1e999, "usage": {"input_tokens": 7}, "cost": {"amount": "0.5", "currency": "USD"}}', 7, "0.5"),
        (b'{"output": 1, "usage": {"input_tokens": 7}, "cost": {"amount": "-1", "currency": "USD"}}', 7, None),
        (b'{"output": 1, "usage": {"input_tokens": 7, "note": "\\u0000"}}', 7, None),
        (b'{"output": 1, "output": 2, "usage": {"output_tokens": 3, "input_tokens": 7}}', 7, None),
        (b"nonsense", None, None),
    ],
)
def test_what_an_unusable_answer_cost_is_known_as_far_as_it_can_be_read(rig, body, tokens, amount):
    rig.server.always(rig.response(200, body, content_type="application/json"))
    failed = rig.ask(rig.http())
    assert failed.error.code == "agent_answer_malformed"
    assert (failed.usage and failed.usage.input_tokens) == tokens
    assert (failed.cost and str(failed.cost.amount)) == amount
    msgspec.json.encode(failed)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("10000000000", 86_400),
        ("9" * 5_000, 86_400),
        ("0000000000000000005", 5),
        ("1.5", 1.5),
        ("Wed, 21 Oct 2015 07:28:00 +9999999999", None),
        ("Wed, 21 Oct 2015 07:28:00 -99999", None),
        ("Sat, 31 Dec 9999 23:59:59 -2359", 86_400),
        ("Fri, 01 Jan 0001 00:00:00 +2359", 0),
        ("-5", None),
        ("soon", None),
    ],
)
def test_a_strange_retry_after_breaks_nothing(header, seconds):
    found = read_retry_after(header, datetime(2026, 11, 1, tzinfo=UTC))
    if seconds is not None:
        assert found is not None
        assert found.total_seconds() == seconds
    else:
        assert found is None or timedelta() <= found <= LONGEST
