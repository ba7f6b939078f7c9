"""The operators, each as a function that turns compiled operands into a compiled expression."""

import operator
from collections.abc import Callable
from datetime import datetime
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from math import isfinite
from typing import Any, TypeAlias

from domain.jsonvalue import LARGEST_INTEGER, SMALLEST_INTEGER
from domain.language.expressions.paths import Missing
from domain.language.expressions.problems import EvaluationFailed
from domain.language.expressions.values import Run, Scope, budget_of, decimal_of, extent, kind_of, number_of, same

Binary: TypeAlias = Callable[[Run, Run, int], Run]

_EXACT = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])


def either(left: Run, right: Run, offset: int) -> Run:
    def run(scope: Scope) -> object:
        return boolean(left(scope), offset, "or") or boolean(right(scope), offset, "or")

    return run


def both(left: Run, right: Run, offset: int) -> Run:
    def run(scope: Scope) -> object:
        return boolean(left(scope), offset, "and") and boolean(right(scope), offset, "and")

    return run


def negation(operand: Run, offset: int) -> Run:
    return lambda scope: not boolean(operand(scope), offset, "not")


def or_else(left: Run, right: Run, offset: int) -> Run:
    """Return left if it resolves and is not null, else right; only unknown paths are caught."""

    def run(scope: Scope) -> object:
        try:
            value = left(scope)
        except Missing:
            value = None
        return right(scope) if value is None else value

    return run


def minus(operand: Run, offset: int) -> Run:
    return lambda scope: in_range(_negated(number_of(operand(scope), offset, "-")), offset)


def equality(expected: bool) -> Binary:
    """Compare by `==` if `expected`, else by `!=`: kinds must agree, but anything may be compared with null."""

    def compiled(left: Run, right: Run, offset: int) -> Run:
        def run(scope: Scope) -> object:
            a, b = left(scope), right(scope)
            if type(a) is str and type(b) is str:
                return (a == b) is expected
            if a is None or b is None:
                return (a is b) is expected
            if not (type(a) in _NATIVE and type(b) in _NATIVE):
                budget_of(scope).work(extent(a), offset)
            a, b = _comparable(a, b, offset, "==" if expected else "!=")
            try:
                return same(a, b, offset) is expected
            except InvalidOperation as error:
                raise _out_of_range(offset) from error

        return run

    return compiled


def ordering(symbol: str, compare: Callable[[Any, Any], bool]) -> Binary:
    """Compare by `<`, `<=`, `>` or `>=` two numbers, two texts or two times."""

    def compiled(left: Run, right: Run, offset: int) -> Run:
        def run(scope: Scope) -> object:
            a, b = left(scope), right(scope)
            if type(a) in _NATIVE and type(b) in _NATIVE:
                return compare(a, b)
            a, b = _comparable(a, b, offset, symbol)
            if isinstance(a, (str, datetime)):
                return compare(a, b)
            x, y = _alike(number_of(a, offset, symbol), number_of(b, offset, symbol))
            try:
                return compare(x, y)
            except InvalidOperation as error:
                raise _out_of_range(offset) from error

        return run

    return compiled


def membership(needle: Run, holder: Run, offset: int) -> Run:
    """Return whether a list has an item, or a text has a part."""

    def run(scope: Scope) -> object:
        item, among = needle(scope), holder(scope)
        budget_of(scope).work(extent(among), offset)
        if isinstance(among, str) and isinstance(item, str):
            return item in among
        if not isinstance(among, (list, tuple)):
            message = f"cannot look for {kind_of(item)} in {kind_of(among)}"
            hint = "look in its keys: … in (… | keys)" if kind_of(among) == "an object" else None
            raise EvaluationFailed("type_mismatch", message, offset, hint)
        return _among(item, among, offset)

    return run


def arithmetic(symbol: str, compute: Callable[[Any, Any], Any], exact: Callable[[Decimal, Decimal], Decimal]) -> Binary:
    """Apply `+`, `-`, `*` or `/` to numbers; `exact` is used when a decimal takes part."""

    def compiled(left: Run, right: Run, offset: int) -> Run:
        def run(scope: Scope) -> object:
            a, b = left(scope), right(scope)
            if symbol == "+" and isinstance(a, str | list) and isinstance(b, str | list):
                hint = "text is put together by a template: '{{ a }} {{ b }}'"
                raise EvaluationFailed("type_mismatch", f"+ adds numbers, not {kind_of(a)}", offset, hint)
            x, y = _alike(
                in_range(number_of(a, offset, symbol), offset), in_range(number_of(b, offset, symbol), offset)
            )
            if symbol == "/" and y == 0:
                raise EvaluationFailed("division_by_zero", "division by zero", offset)
            try:
                return in_range(exact(x, y) if isinstance(x, Decimal) else compute(x, y), offset)
            except (InvalidOperation, Overflow) as error:
                raise _out_of_range(offset) from error

        return run

    return compiled


def in_range(number: int | float | Decimal, offset: int) -> int | float | Decimal:
    """Return the number itself, if it is finite and, as an int, fits 64 bits."""
    if isinstance(number, int):
        fits = SMALLEST_INTEGER <= number <= LARGEST_INTEGER
    else:
        fits = number.is_finite() if isinstance(number, Decimal) else isfinite(number)
    if not fits:
        raise _out_of_range(offset)
    return number


def _negated(number: int | float | Decimal) -> int | float | Decimal:
    """Return the number with the other sign, to its last digit; the operator of Decimal rounds to 28."""
    if isinstance(number, Decimal):
        return number.copy_negate() if number else number.copy_abs()
    return -number


def boolean(value: object, offset: int, what: str) -> bool:
    """Return the boolean that a value is; nothing else counts as true or false."""
    if value is True or value is False:
        return value
    message = f"{what} needs true or false, not {kind_of(value)}"
    raise EvaluationFailed("not_a_boolean", message, offset, "compare it, for example with != null")


def _quotient(a: float, b: float) -> float:
    if isinstance(a, int) and isinstance(b, int) and a % b == 0:
        return a // b
    return a / b


def _alike(a: int | float | Decimal, b: int | float | Decimal) -> tuple[Any, Any]:
    if isinstance(a, Decimal) != isinstance(b, Decimal):
        return decimal_of(a), decimal_of(b)
    return a, b


def _comparable(a: object, b: object, offset: int, symbol: str) -> tuple[object, object]:
    if isinstance(a, datetime) and isinstance(b, str):
        b = _moment(b)
    elif isinstance(b, datetime) and isinstance(a, str):
        a = _moment(a)
    kinds = kind_of(a), kind_of(b)
    ordered = symbol in ("==", "!=") or kinds[0] in ("a number", "text", "a time")
    if kinds[0] == kinds[1] and ordered:
        return a, b
    hint = "a number is written without quotes" if set(kinds) == {"a number", "text"} else None
    message = f"{symbol} cannot compare {kinds[0]} with {kinds[1]}"
    raise EvaluationFailed("type_mismatch", message, offset, hint)


def _moment(text: str) -> object:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment if moment.tzinfo is not None else text


def _among(item: object, among: list[object] | tuple[object, ...], offset: int) -> bool:
    try:
        if any(same(item, one, offset) for one in among):
            return True
    except InvalidOperation as error:
        raise _out_of_range(offset) from error
    # The search for a number in a list of nothing but texts is the same mistake as 1 == '1', so it fails.
    kinds = {kind_of(item), *map(kind_of, among)}
    if kinds == {"a number", "text"} and kind_of(item) not in map(kind_of, among):
        raise EvaluationFailed("type_mismatch", "cannot look for a number among texts, or a text among numbers", offset)
    return False


def _out_of_range(offset: int) -> EvaluationFailed:
    return EvaluationFailed("number_out_of_range", "a number is too large or not finite", offset)


_NATIVE = frozenset((int, float))

BINARY: dict[str, tuple[int, Binary]] = {
    "or": (1, either),
    "and": (2, both),
    "==": (4, equality(expected=True)),
    "!=": (4, equality(expected=False)),
    "<": (4, ordering("<", operator.lt)),
    "<=": (4, ordering("<=", operator.le)),
    ">": (4, ordering(">", operator.gt)),
    ">=": (4, ordering(">=", operator.ge)),
    "in": (4, membership),
    "contains": (4, lambda holder, needle, offset: membership(needle, holder, offset)),
    "||": (5, or_else),
    "+": (6, arithmetic("+", operator.add, _EXACT.add)),
    "-": (6, arithmetic("-", operator.sub, _EXACT.subtract)),
    "*": (7, arithmetic("*", operator.mul, _EXACT.multiply)),
    "/": (7, arithmetic("/", _quotient, _EXACT.divide)),
}
NEGATION, COMPARISON, MINUS = 3, 4, 8
