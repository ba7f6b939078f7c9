"""The stored shape of each event: its fields, their types and their defaults."""

import types
import typing
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Union
from uuid import UUID

import msgspec

from domain.catalogue import EVENTS

# The stored JSON of a type, in plain words.
_WORDS: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    datetime: "time",
    timedelta: "duration",
    Decimal: "decimal",
    UUID: "uuid",
    dict: "object",
    Any: "any JSON",
    type(None): "null",
}


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field.

    type: in words; the name of a part where the value has fields of its own.
    default: as JSON; UNSET when every stored event has the field.
    """

    type: str
    default: Any = msgspec.UNSET

    @property
    def required(self) -> bool:
        """Whether every stored event has it."""
        return self.default is msgspec.UNSET


class Shape(msgspec.Struct, frozen=True):
    """The fields of an event, or of a part of one, by name."""

    fields: dict[str, Field]


def event_shapes() -> dict[str, Shape]:
    """Return the shape of every event by its stored name."""
    return {name: _shape(kind) for name, kind in EVENTS.items()}


def part_shapes() -> dict[str, Shape]:
    """Return the shape of every structure that is stored within an event, by its name."""
    return {part.__name__: _shape(part) for part in parts()}


def parts() -> list[type[msgspec.Struct]]:
    """Return the structures that events are made of, at any depth, in the order of their names."""
    found: dict[str, type[msgspec.Struct]] = {}
    todo: list[type[msgspec.Struct]] = list(EVENTS.values())
    while todo:
        for field in msgspec.structs.fields(todo.pop()):
            for part in _structures(field.type):
                if part.__name__ not in found:
                    found[part.__name__] = part
                    todo.append(part)
    return [found[name] for name in sorted(found)]


def _shape(kind: type[msgspec.Struct]) -> Shape:
    return Shape(
        {field.encode_name: Field(_words(field.type), _default(field)) for field in msgspec.structs.fields(kind)}
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default_factory())
    return msgspec.UNSET


def _words(of: Any) -> str:
    if of in _WORDS:
        return _WORDS[of]
    origin, arguments = typing.get_origin(of), typing.get_args(of)
    if origin is Union or origin is types.UnionType:
        return " or ".join(_words(argument) for argument in arguments)
    if origin is dict:
        return _WORDS[dict] if arguments == (str, Any) else f"object of {_words(arguments[1])}"
    if origin is list or origin is tuple:
        return f"list of {_words(arguments[0])}"
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        return of.__name__
    raise TypeError(f"there are no words yet for how {of!r} is stored")


def _structures(of: Any) -> list[type[msgspec.Struct]]:
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        return [of]
    return [found for argument in typing.get_args(of) for found in _structures(argument)]
