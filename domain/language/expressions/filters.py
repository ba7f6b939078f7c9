"""The filters: `value | name(arguments)`."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import NamedTuple, TypeAlias

from domain.language.expressions.operators import in_range, or_else
from domain.language.expressions.problems import EvaluationFailed
from domain.language.expressions.values import (
    LARGEST_TEXT,
    Run,
    Scope,
    budget_of,
    decimal_of,
    encoded,
    extent,
    kind_of,
    limited,
    number_of,
    printed,
    too_large,
)

Apply: TypeAlias = Callable[[object, list[object], int], object]

_INSTANT = frozenset(("length", "first", "last", "round"))  # they take no longer for a large value
_MOST_DECIMALS = 20
_ROUNDING = Context(prec=400, rounding=ROUND_HALF_UP)


class Filter(NamedTuple):
    fewest: int  # arguments
    most: int
    apply: Apply


def filtered(name: str, operand: Run, arguments: list[Run], offset: int) -> Run:
    """Return the compiled expression `operand | name(arguments)`; the name must be known."""
    if name == "default":
        return or_else(operand, arguments[0], offset)
    apply = FILTERS[name].apply
    if name in _INSTANT:
        return lambda scope: apply(operand(scope), [argument(scope) for argument in arguments], offset)

    def run(scope: Scope) -> object:
        budget, value = budget_of(scope), operand(scope)
        budget.work(extent(value), offset)
        made = apply(value, [argument(scope) for argument in arguments], offset)
        if isinstance(made, str):
            budget.work(len(made), offset)
        return made

    return run


def _length(value: object, arguments: list[object], offset: int) -> object:
    if not isinstance(value, (str, list, tuple, Mapping)):
        raise _mismatch("length", "text, a list or an object", value, offset)
    return len(value)


def _upper(value: object, arguments: list[object], offset: int) -> object:
    return limited(_text(value, "upper", offset).upper(), offset)


def _lower(value: object, arguments: list[object], offset: int) -> object:
    return limited(_text(value, "lower", offset).lower(), offset)


def _trim(value: object, arguments: list[object], offset: int) -> object:
    return _text(value, "trim", offset).strip()


def _truncate(value: object, arguments: list[object], offset: int) -> object:
    text = _text(value, "truncate", offset)
    longest = _whole("truncate", arguments[0], 1, LARGEST_TEXT, offset)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _join(value: object, arguments: list[object], offset: int) -> object:
    items = _list(value, "join", offset)
    separator = arguments[0]
    if not isinstance(separator, str):
        raise EvaluationFailed("type_mismatch", f"join needs text as separator, not {kind_of(separator)}", offset)
    pieces = []
    size = 0
    for item in items:
        pieces.append(printed(item, offset))
        size += len(pieces[-1]) + len(separator)
        if size - len(separator) > LARGEST_TEXT:
            raise too_large(offset)
    return limited(separator.join(pieces), offset)


def _round(value: object, arguments: list[object], offset: int) -> object:
    number = in_range(number_of(value, offset, "round"), offset)
    digits = _whole("round", arguments[0], 0, _MOST_DECIMALS, offset) if arguments else 0
    if isinstance(number, int):
        return number
    try:
        rounded = decimal_of(number).quantize(Decimal(1).scaleb(-digits), context=_ROUNDING)
    except InvalidOperation as error:
        raise EvaluationFailed("number_out_of_range", "round was given a number that is too large", offset) from error
    if isinstance(number, Decimal):
        return rounded
    return float(rounded) if digits else in_range(int(rounded), offset)


def _first(value: object, arguments: list[object], offset: int) -> object:
    items = _list(value, "first", offset)
    return items[0] if items else None


def _last(value: object, arguments: list[object], offset: int) -> object:
    items = _list(value, "last", offset)
    return items[-1] if items else None


def _keys(value: object, arguments: list[object], offset: int) -> object:
    if not isinstance(value, Mapping):
        raise _mismatch("keys", "an object", value, offset)
    return list(value)


def _text(value: object, name: str, offset: int) -> str:
    if not isinstance(value, str):
        raise _mismatch(name, "text", value, offset)
    return value


def _list(value: object, name: str, offset: int) -> list[object] | tuple[object, ...]:
    if not isinstance(value, (list, tuple)):
        raise _mismatch(name, "a list", value, offset)
    return value


def _whole(name: str, value: object, least: int, most: int, offset: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise EvaluationFailed("type_mismatch", f"{name} needs a whole number as argument, not {_part(value)}", offset)
    if not least <= value <= most:
        raise EvaluationFailed("invalid_argument", f"{name} needs an argument from {least} to {most}", offset)
    return value


def _part(value: object) -> str:
    return "a fraction" if isinstance(value, (float, Decimal)) else kind_of(value)


def _mismatch(name: str, expected: str, value: object, offset: int) -> EvaluationFailed:
    hint = "give a fallback before it: … | default(…)" if value is None else None
    return EvaluationFailed("type_mismatch", f"{name} needs {expected}, not {kind_of(value)}", offset, hint)


FILTERS: dict[str, Filter] = {
    "default": Filter(1, 1, lambda value, arguments, offset: value),
    "json": Filter(0, 0, lambda value, arguments, offset: encoded(value, offset)),
    "length": Filter(0, 0, _length),
    "upper": Filter(0, 0, _upper),
    "lower": Filter(0, 0, _lower),
    "trim": Filter(0, 0, _trim),
    "truncate": Filter(1, 1, _truncate),
    "join": Filter(1, 1, _join),
    "round": Filter(0, 1, _round),
    "first": Filter(0, 0, _first),
    "last": Filter(0, 0, _last),
    "keys": Filter(0, 0, _keys),
}

# Operands with which the filters that check the value of an argument fail by that alone.
PROBES: dict[str, Run] = {
    "truncate": lambda _scope: "",
    "round": lambda _scope: 0.5,
    "join": lambda _scope: [],
}
