"""The secret of a webhook trigger, shown by a Standard Webhooks signature or in a header of its own."""

import hmac
import logging
from datetime import datetime

from starlette.requests import Request

from domain.agents.secret_names import SecretNames
from edge.refusals import SecretUnavailable, Unauthorised
from gateway.secrets import Disclosed, SecretMissing
from gateway.standard_webhooks import key_of, sign

logger = logging.getLogger(__name__)

TOLERANCE_SECONDS = 300


class Shown:
    """The signatures of a delivery that the body has yet to agree with; none: the secret itself was shown."""

    def __init__(self, key: bytes = b"", id: bytes = b"", timestamp: bytes = b"", signatures: bytes = b"") -> None:
        self._key, self._id, self._timestamp, self._signatures = key, id, timestamp, signatures

    def require(self, body: bytes) -> None:
        """Raise Unauthorised unless one of the signatures is that of `body`."""
        if not self._signatures:
            return
        signature = sign(self._key, self._id, self._timestamp, body)
        # Compare every signature, so that the time taken does not reveal which one matched.
        if not sum(hmac.compare_digest(each, signature) for each in self._signatures.split(b" ")):
            raise _refused()


def shown_secret(request: Request, reference: str, now: datetime, allowed: SecretNames) -> Shown:
    """Return what the headers show of the secret. Raise Unauthorised, before the body is read, if they cannot suffice.

    reference: names the secret, ``${NAME}``, in the environment of the API. now: the present time. allowed: the
    operator's list. Raises SecretUnavailable, which states neither name nor value.
    """
    try:
        secret = Disclosed(allowed).resolve(reference)
        key = key_of(secret)
    except (SecretMissing, ValueError) as error:
        logger.error("a webhook is refused: %s", error)
        raise SecretUnavailable("the secret of this trigger is not set up where the API runs") from None
    shown = request.headers.get("x-webhook-secret")
    if shown is not None:
        if not hmac.compare_digest(shown.encode("latin-1"), secret.encode()):
            raise _refused()
        return Shown()
    return _signed(request, key, now)


def _signed(request: Request, key: bytes, now: datetime) -> Shown:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    id, timestamp, signatures = (request.headers.get(name, "").encode("latin-1") for name in names)
    if not (id and timestamp and signatures):
        raise _refused()
    seconds = int(timestamp) if timestamp.isdigit() and len(timestamp) <= 18 else None
    if seconds is None or abs(now.timestamp() - seconds) > TOLERANCE_SECONDS:
        raise Unauthorised("the delivery's webhook-timestamp is not of these five minutes", code="webhook_unauthorised")
    return Shown(key, id, timestamp, signatures)


def _refused() -> Unauthorised:
    message = "show the trigger's secret: sign the delivery as Standard Webhooks says, or send it as X-Webhook-Secret"
    return Unauthorised(message, code="webhook_unauthorised")
