"""References to outputs that are too large for an event and are stored beside the log."""

import hmac
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

KEY = "$large_result"
"""The only key of an object that is a reference; a stored name, never changed."""

_FIELDS = frozenset(("execution", "digest", "bytes", "seal"))


class LargeResult(msgspec.Struct, frozen=True, kw_only=True):
    """A reference: the execution whose output it is, the SHA-256 of its JSON, and the bytes of that.

    seal: proves that this installation made the reference, whatever others send in the same form.
    """

    execution: UUID
    digest: str
    bytes: int
    seal: str

    @property
    def value(self) -> dict[str, Any]:
        """The reference as a JSON value, the output in its event."""
        return {KEY: msgspec.to_builtins(self)}


def refer(key: bytes, execution: UUID, content: bytes) -> LargeResult:
    """Return the reference to the JSON text `content`. key: the installation's."""
    digest, size = sha256(content).hexdigest(), len(content)
    return LargeResult(execution=execution, digest=digest, bytes=size, seal=_seal(key, execution, digest, size))


def is_reference(value: object) -> bool:
    """Return whether a JSON value has the form of a reference; `referred` checks whether it is one."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    inner = value.get(KEY)
    return isinstance(inner, Mapping) and inner.keys() == _FIELDS


def referred(key: bytes, value: object) -> LargeResult | None:
    """Return the reference that a JSON value is; None for every other value, also one that others made in its form."""
    if not is_reference(value):
        return None
    try:
        found = msgspec.convert(value[KEY], LargeResult)  # type: ignore[index]
    except msgspec.ValidationError:
        return None
    seal = _seal(key, found.execution, found.digest, found.bytes)
    return found if hmac.compare_digest(seal.encode(), found.seal.encode("utf-8", "surrogatepass")) else None


def references_in(key: bytes, value: object) -> Iterator[LargeResult]:
    """Yield every reference inside a JSON value."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo.extend(item)
        elif isinstance(item, dict):
            found = referred(key, item)
            if found is None:
                todo.extend(item.values())
            else:
                yield found


def replaced(key: bytes, value: Any, contents: Mapping[tuple[UUID, str], Any]) -> Any:
    """Return a JSON value with every reference inside it replaced by its content, by execution and digest."""
    if isinstance(value, list):
        return [replaced(key, item, contents) for item in value]
    if isinstance(value, dict):
        found = referred(key, value)
        if found is not None:
            return contents[found.execution, found.digest]
        return {name: replaced(key, item, contents) for name, item in value.items()}
    return value


def _seal(key: bytes, execution: UUID, digest: str, size: int) -> str:
    return hmac.digest(key, f"large:{execution}:{digest}:{size}".encode(), "sha256").hex()
