"""The fields of a body, as a command, or a body class of an agent's answer, declares them."""

import functools
import types
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from commands.command import Beside


class Read(msgspec.Struct, frozen=True):
    """Marks a field whose value a function makes from the value in the body and the whole body.

    read: raises ValueError with a message for the caller. described: the type that the description shows.
    """

    read: Callable[[Any, bytes], Any]
    described: Any


class Declared(msgspec.Struct, frozen=True):
    """One field of a body. kind: its type, without annotations and None; hint: the type as the class states it.

    limits: as in msgspec's `Meta`.
    """

    name: str
    kind: Any
    hint: Any
    required: bool
    limits: msgspec.Meta
    beside: Beside | None
    read: Read | None

    @property
    def is_object(self) -> bool:
        """Whether the value is an object of a class that declares fields in turn."""
        return self.read is None and isinstance(self.kind, type) and issubclass(self.kind, msgspec.Struct)


@functools.cache
def fields_of(declaring: type[msgspec.Struct]) -> tuple[Declared, ...]:
    """Return every field of `declaring`, those beside the body included."""
    hints = get_type_hints(declaring, include_extras=True)
    return tuple(_declared(field, hints[field.name]) for field in msgspec.structs.fields(declaring))


@functools.cache
def body_fields(declaring: type[msgspec.Struct]) -> tuple[Declared, ...]:
    """Return the fields that a body holds."""
    return tuple(field for field in fields_of(declaring) if field.beside is None)


@functools.cache
def fields_beside(declaring: type[msgspec.Struct]) -> dict[str, str]:
    """Return the fields beside the body, each with its noun."""
    return {field.name: field.beside.noun for field in fields_of(declaring) if field.beside is not None}


def _declared(field: msgspec.structs.FieldInfo, hint: Any) -> Declared:
    kind, marks = _opened(hint)
    limits = next((mark for mark in marks if isinstance(mark, msgspec.Meta)), msgspec.Meta())
    beside = next((mark for mark in marks if isinstance(mark, Beside)), None)
    read = next((mark for mark in marks if isinstance(mark, Read)), None)
    return Declared(field.name, kind, hint, field.required, limits, beside, read)


def _opened(hint: Any) -> tuple[Any, tuple[object, ...]]:
    """Return the type inside annotations and ``| None``, and every annotation."""
    if get_origin(hint) is Annotated:
        kind, marks = _opened(hint.__origin__)
        return kind, (*hint.__metadata__, *marks)
    if get_origin(hint) in (Union, types.UnionType):
        others = [part for part in get_args(hint) if part is not type(None)]
        if len(others) == 1:
            return _opened(others[0])
    return hint, ()
