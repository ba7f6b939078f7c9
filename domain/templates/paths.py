"""Paths in a document as text, ``steps[2].roles.executor``, and the keys that they stand for."""

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import KeyPath


def written_path(keys: KeyPath) -> str:
    """Return a path as problems have it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key[:60]}" for key in keys).removeprefix(".")


def keys_at(document: JsonValue, path: str) -> KeyPath | None:
    """Return the keys that a path leads through in a document, whose keys may hold dots; None if it leads nowhere."""
    keys: list[str | int] = []
    at, rest = document, path
    while rest:
        if isinstance(at, dict):
            rest = rest.removeprefix(".")
            fitting = [key for key in at if rest.startswith(key[:60]) and rest[len(key[:60]) :][:1] in ("", ".", "[")]
            if not fitting:
                return None
            key = max(fitting, key=len)
            keys.append(key)
            at, rest = at[key], rest[len(key[:60]) :]
        elif isinstance(at, list) and rest.startswith("["):
            number, closed, rest = rest[1:].partition("]")
            if not closed or not number.isdecimal() or len(number) > 9 or int(number) >= len(at):
                return None
            keys.append(int(number))
            at = at[int(number)]
        else:
            return None
    return tuple(keys)


def value_at(document: JsonValue, keys: KeyPath) -> JsonValue:
    """Return the value that keys lead to, which is there."""
    at = document
    for key in keys:
        at = at[key]  # type: ignore[index]
    return at
