"""Signatures by Standard Webhooks (standardwebhooks.com), of sent and of received deliveries."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Return the key that `secret` stands for: base64 after ``whsec_``, else the text itself.

    Raises ValueError, which does not repeat the secret.
    """
    if not secret.startswith(PREFIX):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"the secret begins with {PREFIX} and does not go on in base64") from None
    if not key:
        raise ValueError("the secret is empty")
    return key


def sign(key: bytes, id: bytes, timestamp: bytes, body: bytes) -> bytes:
    """Return the signature of a delivery, with its version: ``v1,…``. timestamp: seconds since 1970, in digits."""
    return b"v1," + base64.b64encode(hmac.digest(key, b".".join((id, timestamp, body)), hashlib.sha256))


def signed(key: bytes, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery made at `at` (aware).

    id: without a full stop, which would make the signed text ambiguous.
    """
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(key, id.encode(), timestamp.encode(), body).decode(),
    }
