"""Translates pydantic's errors in a configuration into problems in the project's own words."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from domain.jsonvalue import MOST_PROBLEMS
from domain.refusal import Problem

# Names of union branches that pydantic puts into a location.
_BRANCHES = frozenset(("usage as a word", "usage in numbers"))
# Codes of our own checks stay as they are; pydantic's remaining codes are limits on a value.
_OURS = re.compile(
    "duplicate_key|invalid_header|invalid_url|reserved_header|secret_not_a_reference|secret_reserved|wrong_type"
)
_TYPES = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "an object",
    "model": "an object",
    "list": "a list",
}


def problems_of(error: ValidationError, body: Mapping[str, Any], kinds: Mapping[str, type[BaseModel]]) -> list[Problem]:
    """Return the problems in `error`, the first MOST_PROBLEMS, located in `body`.

    kinds: the models by the value of ``kind``.
    """
    found: dict[tuple[str, str], Problem] = {}
    for details in error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]:
        for problem in _problems(details, body, kinds):
            found.setdefault((problem.path, problem.code), problem)
    return list(found.values())


def _problems(
    details: ErrorDetails, body: Mapping[str, Any], kinds: Mapping[str, type[BaseModel]]
) -> Iterable[Problem]:
    kind, context = details["type"], details.get("ctx", {})
    where = [part for part in details["loc"][1:] if part not in _BRANCHES]
    path, key = _written(where), str(where[-1])[:60] if where else ""
    if kind == "several":
        yield from (Problem(code, message, _written([*where, inner])) for code, message, inner in context["found"])
    elif kind == "union_tag_not_found":
        yield Problem("missing", "kind is missing", "kind", hint=f"one of {', '.join(kinds)}")
    elif kind == "union_tag_invalid":
        yield Problem("unknown_value", "there is no such kind of agent", "kind", hint=_hint(body["kind"], kinds))
    elif kind == "extra_forbidden":
        known = _fields(kinds[str(details["loc"][0])], where[:-1])
        yield Problem("unknown_key", f"unknown key {key!r}", path, hint=_hint(key, known))
    elif kind == "missing":
        yield Problem("missing", f"{key} is missing", path)
    elif kind == "literal_error":
        yield Problem("unknown_value", f"{key} is one of {context['expected']}", path, hint=_meant(body, key, context))
    elif kind == "value_error":
        yield Problem("invalid_value", str(context["error"]), path)
    elif kind.removesuffix("_type") in _TYPES:
        yield Problem("wrong_type", f"{key} is {_TYPES[kind.removesuffix('_type')]}", path)
    else:
        yield Problem(kind if _OURS.fullmatch(kind) else "invalid_value", details["msg"], path)


def _fields(model: type[BaseModel], where: list[int | str]) -> Iterable[str]:
    for part in where:
        field = model.model_fields.get(str(part))
        inner = list(_models(field.annotation)) if field else []
        if not inner:
            return ()
        model = inner[0]
    return model.model_fields


def _models(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)


def _meant(body: Mapping[str, Any], key: str, context: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(str(body.get(key))[:60], re.findall(r"'([^']+)'", context["expected"]), n=1)
    return f"did you mean {close[0]}?" if close else ""


def _hint(word: object, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(str(word)[:60], names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"


def _written(where: list[int | str]) -> str:
    path = ""
    for part in where:
        path += f"[{part}]" if isinstance(part, int) else f".{part[:60]}" if path else part[:60]
    return path
