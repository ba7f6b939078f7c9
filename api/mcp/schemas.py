"""JSON Schemas of arguments and results in the form of the Model Context Protocol: an object at the top."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from domain.refusal import Malformed, Problem

T = TypeVar("T", bound=msgspec.Struct)
_REFERENCE = "#/$defs/"


@cache
def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a class; that of its own fields stands at the top, those of others in ``$defs``."""
    schema = msgspec.json.schema(kind)
    definitions = dict(schema.pop("$defs", {}))
    own = definitions.pop(schema["$ref"].removeprefix(_REFERENCE))
    return {**own, "$defs": definitions} if definitions else dict(own)


def read(kind: type[T], given: Mapping[str, Any] | None) -> T:
    """Return the arguments that a client gave. Raises Malformed."""
    try:
        return msgspec.convert(dict(given or {}), kind)
    except msgspec.ValidationError as error:
        message = str(error)
        raise Malformed(message, [Problem("invalid_arguments", message)]) from None
