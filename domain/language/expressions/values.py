"""The values of expressions: their kinds, their equality, their printed form, and their copy out of a scope."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from domain.jsonvalue import MAX_DEPTH
from domain.language.expressions.json_text import json_object_in
from domain.language.expressions.problems import EvaluationFailed
from domain.large_results import is_reference

JSON: TypeAlias = bool | int | float | Decimal | str | list["JSON"] | dict[str, "JSON"] | None
Scope: TypeAlias = Mapping[str, object]
Run: TypeAlias = Callable[[Scope], object]

LARGEST_TEXT = 1 << 20  # bytes of UTF-8
LARGEST_RESULT = 1 << 20  # bytes of JSON
MOST_WORK = 64 << 20  # bytes that the filters and comparisons of one scope may go through
MOST_COMPARED = 50_000
_UNCOUNTED = 256  # work on shorter texts and lists is bounded by the limits of an expression
_TEXTS_READ = 8

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)


class Budget:
    """The bytes of JSON that rendering may still make, counted while it makes them, and the work that it may still do.

    All rendering in one scope shares the attribute `budget` of its root `execution`. whole: the budget of the decision,
    from which every scope of the decision takes too.
    """

    __slots__ = ("_objects", "_work", "left", "most", "whole")

    def __init__(self, most: int = LARGEST_RESULT, whole: "Budget | None" = None, work: int = MOST_WORK) -> None:
        self.most = most
        self.left = most
        self.whole = whole
        self._work = work
        self._objects: dict[str, dict[str, Any] | None] | None = None

    def take(self, size: int, offset: int) -> None:
        """Count `size` more bytes. Raises EvaluationFailed, ``result_too_large``, beyond the bound."""
        self.left -= size
        if self.left < 0:
            message = f"what is rendered here, taken together, is at most {self.most} bytes"
            raise EvaluationFailed("result_too_large", message, offset, "pass on less, or shorten it with truncate(n)")
        if self.whole is not None:
            self.whole.left -= size
            if self.whole.left < 0:
                message = f"what one decision renders for all steps that it begins is at most {self.whole.most} bytes"
                raise EvaluationFailed("result_too_large", message, offset, "pass on less, or let fewer steps begin")

    def work(self, size: int, offset: int) -> None:
        """Count bytes that a filter or comparison goes through. Raises EvaluationFailed beyond the bound."""
        if size > _UNCOUNTED:
            self._work -= size
            if self._work < 0:
                message = f"the expressions here go through more than {MOST_WORK} bytes of text and lists"
                raise EvaluationFailed("result_too_large", message, offset, "work on a part of it, or in steps before")

    def object_in(self, text: str, offset: int) -> dict[str, Any] | None:
        """Return the object that a text holds, as json_object_in does; a text read a moment ago is not read again."""
        if len(text) <= _UNCOUNTED:
            return json_object_in(text)
        kept = self._objects
        if kept is None:
            kept = self._objects = {}
        if text not in kept:
            self.work(len(text), offset)
            kept[text] = json_object_in(text)
            if len(kept) > _TEXTS_READ:
                del kept[next(iter(kept))]
        return kept[text]


def budget_of(scope: Scope) -> Budget:
    """Return the budget of the scope, or a new one."""
    found = getattr(scope.get("execution"), "budget", None)
    return found if isinstance(found, Budget) else Budget()


def kind_of(value: object) -> str:
    """Return the kind of a value, as messages name it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "text"
        case int() | float() | Decimal() | timedelta():
            return "a number"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case datetime():
            return "a time"
        case _:
            return "no JSON value"


def number_of(value: object, offset: int, what: str) -> int | float | Decimal:
    """Return the number that a value is, a duration as its seconds; `what` begins the message for any other value."""
    if isinstance(value, timedelta):
        return seconds(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise EvaluationFailed("type_mismatch", f"{what} needs a number, not {kind_of(value)}", offset)
    return value


def seconds(duration: timedelta) -> int | float:
    """Return the length of a duration, an int when whole."""
    length = duration.total_seconds()
    return int(length) if length.is_integer() else length


def decimal_of(number: float | Decimal) -> Decimal:
    """Return the decimal as written: 0.1 gives exactly 0.1."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def same(left: object, right: object, offset: int) -> bool:
    """Return whether two values are equal all the way down; values of different kinds are not.

    Raises EvaluationFailed for values of more than 50,000 parts.
    """
    return _same(left, right, offset, 0, Budget(MOST_COMPARED))


def _same(left: object, right: object, offset: int, depth: int, parts: Budget) -> bool:
    if depth > MAX_DEPTH:
        raise _too_deep(offset)
    if left is right:
        return True
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        _count(len(left), parts, offset)
        return left.keys() == right.keys() and all(_same(left[k], right[k], offset, depth + 1, parts) for k in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        _count(len(left), parts, offset)
        pairs = zip(left, right, strict=True)
        return len(left) == len(right) and all(_same(a, b, offset, depth + 1, parts) for a, b in pairs)
    kind = kind_of(left)
    if kind != kind_of(right):
        return False
    if kind == "a number":
        a, b = number_of(left, offset, "=="), number_of(right, offset, "==")
        if isinstance(a, Decimal) != isinstance(b, Decimal):
            a, b = decimal_of(a), decimal_of(b)
        return a == b
    return left == right


def _count(size: int, parts: Budget, offset: int) -> None:
    parts.left -= size
    if parts.left < 0:
        message = f"values of more than {MOST_COMPARED:,} parts cannot be compared"
        raise EvaluationFailed("result_too_large", message, offset)


def plain(value: object, offset: int, budget: Budget, depth: int = 0) -> JSON:
    """Return a JSON value that shares nothing with the scope: times become ISO 8601 text, durations seconds.

    Takes its size from the budget while copying.
    """
    if isinstance(value, str):
        budget.take(size_of(value) + 2 if depth else size_of(value), offset)
        return value
    if value is None or isinstance(value, bool):
        budget.take(5 if value is False else 4, offset)
        return value
    if isinstance(value, (int, float, Decimal)):
        budget.take(len(str(value)), offset)
        return value
    if depth > MAX_DEPTH:
        raise _too_deep(offset)
    if isinstance(value, Mapping):
        budget.take(1 if value else 2, offset)
        copied: dict[str, JSON] = {}
        for key, item in value.items():
            budget.take(size_of(key) + 4, offset)
            copied[key] = plain(item, offset, budget, depth + 1)
        return copied
    if isinstance(value, (list, tuple)):
        budget.take(len(value) + 1 if value else 2, offset)
        return [plain(item, offset, budget, depth + 1) for item in value]
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, timedelta):
        return seconds(value)
    raise EvaluationFailed("type_mismatch", "this is no JSON value", offset)


def size_of(text: str) -> int:
    """Return the number of bytes of a text in JSON, without its quotation marks."""
    try:
        return len(msgspec.json.encode(text)) - 2
    except UnicodeEncodeError:
        return 6 * len(text)


def extent(value: object) -> int:
    """Return, in bytes, about how much a filter or comparison goes through that reads the value itself."""
    if isinstance(value, str):
        return len(value)
    return 16 * len(value) if isinstance(value, (list, tuple, Mapping)) else 0


def instant(moment: datetime) -> str:
    """Return an instant as ISO 8601, in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def printed(value: object, offset: int) -> str:
    """Return a value as it stands in a text: text as is, decimals plainly, everything else as compact JSON."""
    if isinstance(value, str):
        return limited(value, offset)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > 100:
            return str(value)  # plain digits of 1E+999999 would fill a megabyte
        return format(value, "f")
    return encoded(value, offset)


def encoded(value: object, offset: int) -> str:
    """Return a value as compact JSON; decimals are JSON text, so that no reader turns money into a float."""
    if is_reference(value):
        raise unreadable(offset)
    try:
        simple = plain(value, offset, Budget(LARGEST_TEXT))
    except EvaluationFailed as error:
        raise too_large(offset) if error.code == "result_too_large" else error from None
    try:
        text = _JSON.encode(simple)
    except ValueError as error:
        message = "a number too large or not finite cannot be printed"
        raise EvaluationFailed("number_out_of_range", message, offset) from error
    return limited(text, offset)


def limited(text: str, offset: int) -> str:
    """Return the text itself, if it is within the limit for results."""
    if len(text) * 4 > LARGEST_TEXT and len(text.encode("utf-8", "surrogatepass")) > LARGEST_TEXT:
        raise too_large(offset)
    return text


def unreadable(offset: int) -> EvaluationFailed:
    """Return the failure of an expression that reads inside a large result, or writes it into a text."""
    message = "this result is stored beside the log, because it is large: it can only be passed on whole"
    return EvaluationFailed("result_too_large", message, offset, "pass it on alone, as {{ steps.ID.output }}")


def too_large(offset: int) -> EvaluationFailed:
    return EvaluationFailed(
        "result_too_large", f"a text result is at most {LARGEST_TEXT} bytes", offset, "shorten it with truncate(n)"
    )


def _too_deep(offset: int) -> EvaluationFailed:
    return EvaluationFailed("result_too_deep", f"a value is nested at most {MAX_DEPTH} deep", offset)
