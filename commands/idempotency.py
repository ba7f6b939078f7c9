"""Commands that carry an Idempotency-Key: an actor that repeats one gets the first answer, whatever happened."""

import functools
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from commands.deciding import Identified, Unavailable
from commands.receipt import Receipt
from domain.refusal import Forbidden
from store.answers import StoredAnswer, find_answer
from store.log import Log
from store.unit import AnsweredStep, KeyTaken


class KeyReused(Forbidden):
    """An earlier, different request of the same actor used the Idempotency-Key."""

    code = "idempotency_key_reused"


class Replayed(msgspec.Struct, frozen=True):
    """The answer to a command: facts and position. replayed: it is the answer of an earlier request."""

    facts: dict[str, Any]
    position: int
    duplicate: bool = False
    replayed: bool = False


def answer_once(
    log: Log, key: str | None, actor: str, request: bytes, command: Callable[[Identified], Receipt]
) -> Replayed:
    """Carry out `command`, or return the first answer if `key` came from `actor` with the same request before.

    request: the method, path and body of the request. command: takes the function that pairs its answer with
    the key. Raises KeyReused when an earlier, different request of the actor used the key, and the errors of `command`.
    """
    if key is None:
        return _answer(command(lambda _receipt: None))
    fingerprint = hashlib.sha256(request).digest()
    for stored in (key, _own(key, actor)):
        found = find_answer(log.datastore, stored)
        if found is None:
            identified = functools.partial(_identified, stored, fingerprint, actor)
            try:
                return _answer(command(identified))
            except KeyTaken:
                found = find_answer(log.datastore, stored)
                if found is None:
                    raise Unavailable(
                        "the answer of the earlier request was dropped at this moment; repeat the request"
                    ) from None
        if _actor_of(log, found) == actor:
            return _repeated(found, fingerprint)
    raise KeyReused("this Idempotency-Key was used for another request")


def _own(key: str, actor: str) -> str:
    """Return the form under which `actor` has a key that another actor used first. No key of a request holds a blank.

    The first actor has the key as it is, because processes of the release before find it only so.
    """
    return f"{actor} {key}"


def _identified(stored: str, fingerprint: bytes, actor: str, receipt: Receipt) -> AnsweredStep:
    answer = {"facts": receipt.facts, "duplicate": receipt.duplicate, "actor": actor}
    return AnsweredStep(stored, fingerprint, msgspec.json.encode(answer))


def _actor_of(log: Log, found: StoredAnswer) -> str:
    """Return the actor of the first request. The release before kept it in the events only."""
    stated = msgspec.json.decode(found.answer, type=_StatedActor).actor
    return stated if stated is not None else log.actor_at(found.position)


class _StatedActor(msgspec.Struct):
    actor: str | None = None


def _repeated(found: StoredAnswer, fingerprint: bytes) -> Replayed:
    if found.fingerprint != fingerprint:
        raise KeyReused("this Idempotency-Key was used for another request")
    answer = msgspec.json.decode(found.answer)
    return Replayed(answer["facts"], found.position, answer["duplicate"], replayed=True)


def _answer(receipt: Receipt) -> Replayed:
    return Replayed(receipt.facts, receipt.position, receipt.duplicate)
