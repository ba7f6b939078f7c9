"""Commands that carry an Idempotency-Key: a repeated command gets the first answer, whatever has happened since."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from commands.deciding import Identified, Unavailable
from commands.receipt import Receipt
from domain.refusal import Forbidden
from store.answers import find_answer
from store.log import Log
from store.unit import AnsweredStep, KeyTaken


class KeyReused(Forbidden):
    """An earlier, different request used the Idempotency-Key."""

    code = "idempotency_key_reused"


class Replayed(msgspec.Struct, frozen=True):
    """The answer to a command: facts and position. replayed: it is the answer of an earlier request."""

    facts: dict[str, Any]
    position: int
    duplicate: bool = False
    replayed: bool = False


def answer_once(log: Log, key: str | None, request: bytes, command: Callable[[Identified], Receipt]) -> Replayed:
    """Carry out `command`, or return the first answer if `key` came with the same request before.

    request: the method, path and body of the request. command: takes the function that pairs its answer with
    the key. Raises KeyReused when an earlier, different request used the key, and the errors of `command`.
    """
    if key is None:
        return _answer(command(lambda _receipt: None))
    fingerprint = hashlib.sha256(request).digest()
    first = _first(log, key, fingerprint)
    if first is not None:
        return first

    def identified(receipt: Receipt) -> AnsweredStep:
        facts = msgspec.json.encode({"facts": receipt.facts, "duplicate": receipt.duplicate})
        return AnsweredStep(key, fingerprint, facts)

    try:
        return _answer(command(identified))
    except KeyTaken:
        first = _first(log, key, fingerprint)
        if first is None:
            raise Unavailable(
                "the answer of the earlier request was dropped at this moment; repeat the request"
            ) from None
        return first


def _first(log: Log, key: str, fingerprint: bytes) -> Replayed | None:
    found = find_answer(log.datastore, key)
    if found is None:
        return None
    if found.fingerprint != fingerprint:
        raise KeyReused("this Idempotency-Key was used for another request")
    answer = msgspec.json.decode(found.answer)
    return Replayed(answer["facts"], found.position, answer["duplicate"], replayed=True)


def _answer(receipt: Receipt) -> Replayed:
    return Replayed(receipt.facts, receipt.position, receipt.duplicate)
