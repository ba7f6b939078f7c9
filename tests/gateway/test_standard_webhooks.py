"""Signatures of deliveries: what the key is, and what is signed."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.standard_webhooks import key_of, sign, signed


def hmac_by_hand(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256 as RFC 2104 defines it."""
    key = hashlib.sha256(key).digest() if len(key) > 64 else key
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + text).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).digest()


@given(st.binary(min_size=1, max_size=100), st.binary(max_size=100))
def test_id_time_and_body_are_signed(key, body):
    expected = b"v1," + base64.b64encode(hmac_by_hand(key, b"msg_1.1700000000." + body))
    assert sign(key, b"msg_1", b"1700000000", body) == expected


def test_the_headers_of_a_delivery_name_its_time_in_whole_seconds():
    at = datetime(2026, 11, 25, 12, 0, 0, 999_000, tzinfo=UTC)
    headers = signed(b"key", "a:b:c", at, b"{}")
    assert headers["webhook-id"] == "a:b:c"
    assert headers["webhook-timestamp"] == "1795608000"
    assert headers["webhook-signature"].encode() == sign(b"key", b"a:b:c", b"1795608000", b"{}")


@given(st.binary(min_size=1, max_size=80))
def test_a_secret_with_the_prefix_is_base64(key):
    assert key_of("whsec_" + base64.b64encode(key).decode()) == key


def test_any_other_secret_is_its_text():
    assert key_of("grüße") == "grüße".encode()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%", "whsec_not base64", "whsec_grüße", "whsec_abc"])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret):
    with pytest.raises(ValueError, match="the secret") as refused:
        key_of(secret)
    assert secret.removeprefix("whsec_") == "" or secret.removeprefix("whsec_") not in str(refused.value)
