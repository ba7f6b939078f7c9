"""Sessions of browsers: a signed cookie that is bound to one key, with an absolute and an idle limit."""

import hashlib
import hmac
from datetime import datetime, timedelta

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer

COOKIE = "procession-session"
LONGEST = timedelta(hours=12)
IDLE = timedelta(hours=2)
RENEWED_AFTER = timedelta(minutes=5)
CONFIGURED = "configured"


class BrowserSession(msgspec.Struct, frozen=True):
    """key: the id of a key, or CONFIGURED with the digest of the environment's key. begun, seen: in seconds."""

    key: str
    begun: int
    seen: int

    def valid_at(self, now: datetime) -> bool:
        """Return whether the session lasts at `now`."""
        at = now.timestamp()
        return at - self.begun < LONGEST.total_seconds() and at - self.seen < IDLE.total_seconds()

    def renewed_at(self, now: datetime) -> "BrowserSession | None":
        """Return the session as seen at `now`; None if it was seen a moment ago."""
        if now.timestamp() - self.seen < RENEWED_AFTER.total_seconds():
            return None
        return msgspec.structs.replace(self, seen=int(now.timestamp()))


class SessionSigner:
    """Writes and reads cookies. secret: the installation's; other processes of it read what one has written."""

    def __init__(self, secret: bytes) -> None:
        own = hmac.new(secret, b"browser sessions", hashlib.sha256).digest()
        self._serializer = URLSafeSerializer(own, signer_kwargs={"digest_method": hashlib.sha256})

    def write(self, session: BrowserSession) -> str:
        """Return the text of a cookie."""
        dumped = self._serializer.dumps(msgspec.to_builtins(session))
        return dumped if isinstance(dumped, str) else dumped.decode()

    def read(self, text: str) -> BrowserSession | None:
        """Return the session of a cookie; None if this installation has not signed it."""
        try:
            return msgspec.convert(self._serializer.loads(text), BrowserSession)
        except (BadSignature, msgspec.ValidationError):
            return None


def begin(key: str, now: datetime) -> BrowserSession:
    """Return a new session of a key."""
    return BrowserSession(key, int(now.timestamp()), int(now.timestamp()))


def configured_reference(api_key: str) -> str:
    """Return the reference of a session to the key of the environment: a session ends when that key changes."""
    return f"{CONFIGURED}:{hashlib.sha256(api_key.encode()).hexdigest()[:32]}"
