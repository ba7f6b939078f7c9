"""Make and revoke keys, and find the key that a caller shows."""

import hashlib
import hmac
import logging
import secrets
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from commands.command import Beside, Command, CommandScope, Reason
from commands.deciding import Identified, decide, unidentified
from commands.receipt import Receipt
from domain.clock import Clock
from domain.event import Cause, Event
from domain.identity import KEYS_ID
from domain.keys.decisions import NewKey, create_key, revoke_key
from domain.keys.key import Key, KeyRing, fold
from domain.keys.scopes import MAX_PROCESSES, MAX_SCOPES, MAX_TEAMS
from store.key_uses import record_uses
from store.log import Log
from store.unit import Outage

logger = logging.getLogger(__name__)

FRESH_FOR_SECONDS = 1.0
RECORD_USES_SECONDS = 60.0
PREFIX_LENGTH = 7

Name = Annotated[str, Meta(min_length=1, max_length=64)]


class Secret(msgspec.Struct, frozen=True):
    """A new key: the text that its holder shows, once, and the facts that are kept of it."""

    text: str
    digest: str
    prefix: str

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"Secret({self.prefix}…)"


class CreateKey(Command, frozen=True):
    """Make a key. name: of the principal; scopes, teams, processes: as `domain.keys.scopes` describes them.

    The door makes `secret` and shows it to the caller; the log holds its digest.
    """

    scope = CommandScope.KEYS_WRITE
    key_id: Annotated[UUID, Beside()]
    secret: Annotated[Secret, Beside()]
    name: Name
    scopes: Annotated[list[Name], Meta(max_length=MAX_SCOPES)]
    teams: Annotated[list[Name], Meta(max_length=MAX_TEAMS)] = []
    processes: Annotated[list[Name], Meta(max_length=MAX_PROCESSES)] = []
    expires_at: datetime | None = None


class RevokeKey(Command, frozen=True):
    """Revoke a key. force: also the last admin key without expiry."""

    scope = CommandScope.KEYS_WRITE
    key_id: Annotated[UUID, Beside("key")]
    reason: Reason
    force: bool = False


class Keys:
    """The handlers of the commands above. configured: the environment states an admin key beside these."""

    def __init__(self, log: Log, *, configured: bool = False) -> None:
        self._log = log
        self._configured = configured

    def create(self, command: CreateKey, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Make a key. Raises Malformed or Forbidden, as `create_key` does."""
        described = {name: getattr(command, name) for name in ("name", "scopes", "teams", "processes", "expires_at")}
        new = NewKey(command.key_id, digest=command.secret.digest, prefix=command.secret.prefix, **described)
        return decide(
            self._log,
            KEYS_ID,
            _ring,
            lambda ring: create_key(ring, new, cause, configured=self._configured),
            facts=lambda _ring, _new: {"key_id": command.key_id, "prefix": command.secret.prefix},
            identified=identified,
        )

    def revoke(self, command: RevokeKey, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Revoke a key. Raises NotFound or LastAdminKey."""
        return decide(
            self._log,
            KEYS_ID,
            _ring,
            lambda ring: revoke_key(
                ring, command.key_id, command.reason, cause, force=command.force, configured=self._configured
            ),
            facts=lambda _ring, _new: {"key_id": command.key_id},
            identified=identified,
        )

    def ring(self) -> KeyRing:
        """Return all keys, from the log."""
        return _ring(self._log.stream(KEYS_ID))


class KnownKeys:
    """The keys that this process admits: read from the log, at most a second old. Any thread may call it."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._ring = KeyRing()
        self._last: Event | None = None
        self._by_prefix: dict[str, list[Key]] = {}
        self._read_at: float | None = None
        self._lock = threading.Lock()
        self._uses: dict[UUID, datetime] = {}
        self._recorded_at = clock.monotonic()
        self._anew = False  # the next reading begins with an empty ring
        self._due = False  # it comes before the next request, however fresh the keys are
        log.datastore.epochs.subscribe(self.forget_all)

    @property
    def stale(self) -> bool:
        """Whether the keys may have changed unnoticed: then `refresh` comes before `find`."""
        return self._due or self._read_at is None or self._clock.monotonic() - self._read_at > FRESH_FOR_SECONDS

    @property
    def any(self) -> bool:
        """Whether a key was ever made: from then on nobody is admitted without one."""
        return bool(self._ring.keys)

    def forget_all(self) -> None:
        """Read every key anew at the next request; in an outage those read last go on."""
        self._anew = self._due = True

    def expire(self) -> None:
        """Read the log at the next request: this process has changed the keys."""
        self._read_at = None

    def refresh(self) -> None:
        """Read what the log has on keys since the last time, and record uses once a minute.

        Raises Outage when they were never read, or this process has changed them. Otherwise the keys read last go on
        during an outage: nothing can be revoked then, and what needs no database, as metrics, is still answered.
        """
        with self._lock:
            if not self.stale:
                return
            begun = self._clock.monotonic()
            try:
                # In an outage no request after this one waits for a connection, until the keys are a second old.
                self._due = False
                anew, self._anew = self._anew, False
                try:
                    self._read_new(anew)
                except BaseException:
                    self._anew |= anew
                    raise
                if self._uses and begun - self._recorded_at > RECORD_USES_SECONDS:
                    self._record_uses()
                    self._recorded_at = begun
            except Outage as error:
                if self._read_at is None:
                    raise
                logger.debug("the keys read last go on: %s", error)
                begun = self._clock.monotonic()
            self._read_at = begun

    def _read_new(self, anew: bool) -> None:
        """Read on after the last event; read all anew if that event is another one now, as after a failover."""
        ring, last = (KeyRing(), None) if anew else (self._ring, self._last)
        if last is not None:
            again = self._log.stream_page(KEYS_ID, after=ring.version - 1, limit=1)
            if not again or again[0].event != last:
                ring, last = KeyRing(), None
        while page := self._log.stream_page(KEYS_ID, after=ring.version):
            ring, last = fold(ring, [recorded.event for recorded in page]), page[-1].event
        if ring is not self._ring:
            self._ring, self._last, self._by_prefix = ring, last, _by_prefix(ring.keys.values())

    def find(self, shown: str) -> Key | None:
        """Return the valid key that a caller shows; None if there is none. The comparison takes constant time."""
        now, digest = self._clock.now(), digest_of(shown)
        for key in self._by_prefix.get(shown[:PREFIX_LENGTH], ()):
            if hmac.compare_digest(key.digest, digest) and key.valid_at(now):
                self._uses[key.key_id] = now
                return key
        return None

    def of_id(self, key_id: str) -> Key | None:
        """Return the valid key with an id; None if there is none."""
        try:
            key = self._ring.keys.get(UUID(key_id))
        except ValueError:
            return None
        return key if key is not None and key.valid_at(self._clock.now()) else None

    def holds(self, key_id: UUID) -> bool:
        """Return whether the key still admits its holder."""
        key = self._ring.keys.get(key_id)
        return key is not None and key.valid_at(self._clock.now())

    def _record_uses(self) -> None:
        uses, self._uses = self._uses, {}
        try:
            record_uses(self._log.datastore, uses)
        except Outage:
            self._uses = uses | self._uses
            raise


def new_secret() -> Secret:
    """Return a new key of 256 random bits."""
    text = f"pp_{secrets.token_urlsafe(32)}"
    return Secret(text, digest_of(text), text[:PREFIX_LENGTH])


def digest_of(shown: str) -> str:
    """Return the digest under which the log holds a key. Keys are random, so a plain digest gives nothing away."""
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()


def _by_prefix(keys: Iterable[Key]) -> dict[str, list[Key]]:
    found: dict[str, list[Key]] = {}
    for key in keys:
        if not key.revoked:
            found.setdefault(key.prefix, []).append(key)
    return found


def _ring(events: Sequence[Event]) -> KeyRing:
    return fold(KeyRing(), events)
