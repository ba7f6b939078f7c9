"""Operators and filters in an expression: kinds and values that their operands can never have."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from domain.language.checking.paths import Wrong
from domain.language.checking.shapes import ANY, BOOLEAN, LIST, NULL, NUMBER, TEXT, ValueShape, of_kinds
from domain.language.expressions import Comparison, Condition, Constant, Path, Source, Sources, TextTemplate, Use
from domain.words import did_you_mean, slip_of

_ORDERED = frozenset(("<", "<=", ">", ">="))
_IN_ORDER = frozenset((TEXT, NUMBER))
_SHOWN = 20
_TIMES = (("started_at",), ("completed_at",), ("duration",))
# Operators that read as words of the message unless they are quoted.
_WORDS = frozenset(("and", "or", "not", "in"))

ShapeOf = Callable[[Path], ValueShape | None]
"""The shape of the value of a path; None when nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Demands:
    """The demands of one expression or template on its operands. guarded: the paths that are compared with null."""

    comparisons: tuple[Comparison, ...]
    uses: tuple[Use, ...]
    guarded: frozenset[tuple[str | int, ...]]

    @staticmethod
    def of(text: Condition | TextTemplate, guarded: frozenset[tuple[str | int, ...]] = frozenset()) -> "Demands":
        """Return those of a text; `guarded` are further paths that something before it compares with null."""
        return Demands(text.comparisons, text.uses, guarded | null_checked(text))


def null_checked(text: Condition | TextTemplate) -> frozenset[tuple[str | int, ...]]:
    """Return the paths that a text compares with null."""
    found = set()
    for comparison in text.comparisons:
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            if any(isinstance(each, Constant) and each.value is None for each in other):
                found |= {each.parts for each in one if isinstance(each, Path)}
    return frozenset(found)


def distinguishing_members(text: Condition | TextTemplate) -> set[tuple[str | int, ...]]:
    """Return the paths of members by which a text distinguishes objects: compared with a word, or needed as a boolean.

    A member that a fallback replaces, or the keys of the object, distinguish whether the member is there: the path is
    then that of the object, and a part that no member has.
    """
    found = set()
    for comparison in text.comparisons:
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            words = [each.value for each in other if isinstance(each, Constant)]
            for each in one if words and comparison.symbol not in _ORDERED else ():
                if isinstance(each, Path) and each.caught:
                    found.add((*each.parts[:-1], ""))
                elif isinstance(each, Path) and words != [None]:
                    found.add(each.parts)
    for use in text.uses:
        paths = [each for each in use.sources if isinstance(each, Path)]
        if use.symbol == "keys":
            found |= {(*each.parts, "") for each in paths}
        elif BOOLEAN in use.kinds:
            found |= {each.parts for each in paths}
    if isinstance(text, Condition):
        found |= {each.parts for each in text.sources if isinstance(each, Path)}
    return found


def outcomes_read(condition: Condition) -> frozenset[str]:
    """Return the steps whose status or error a condition reads."""
    read = (path.parts for path in condition.paths if path.parts[0] == "steps")
    return frozenset(str(parts[1]) for parts in read if parts[2:3] in (("status",), ("error",)))


def faults(demands: Demands, shape_of: ShapeOf) -> Iterator[Wrong]:
    """Yield what fails whatever the values are, what is never equal, and what fails for null."""
    for comparison in demands.comparisons:
        if comparison.symbol in ("in", "contains"):
            found = _membership(comparison, shape_of)
        else:
            found = _mismatch(comparison, shape_of) or _never_equal(comparison, shape_of)
        if found is not None:
            yield found
        elif comparison.symbol in _ORDERED:
            yield from _of_null((*comparison.left, *comparison.right), comparison, demands, shape_of)
        elif comparison.symbol in ("in", "contains"):
            holders = comparison.right if comparison.symbol == "in" else comparison.left
            yield from _of_null(holders, comparison, demands, shape_of)
    for use in demands.uses:
        if (found := _misuse(use, shape_of)) is not None:
            yield found
        else:
            yield from _of_null(use.sources, use, demands, shape_of)


def not_boolean(sources: Sources, shape_of: ShapeOf) -> Wrong | None:
    """Return why a condition with these sources is never true or false; None if it may be."""
    for kinds in _each(sources, shape_of):
        if kinds - {NULL} and BOOLEAN not in kinds:
            message = f"a condition needs true or false, not {listed(kinds - {NULL})}"
            return Wrong("not_a_boolean", message, "compare it, for example with != null", 0)
    return None


def null_condition(condition: Condition, demands: Demands, shape_of: ShapeOf) -> Iterator[Wrong]:
    """Yield a warning for each source of the value of a condition that may be null."""
    return _of_null(condition.sources, Use("a condition", frozenset((BOOLEAN,)), (), 0), demands, shape_of)


def null_field(template: TextTemplate, field: str, demands: Demands, shape_of: ShapeOf) -> Iterator[Wrong]:
    """Yield a warning for each source of the value of a field, one that takes no null, that may be null."""
    # A step that ran has its times: which ones are skipped is no matter of kinds.
    sources = tuple(each for each in template.sources if not (isinstance(each, Path) and each.parts[2:] in _TIMES))
    return _of_null(sources, Use(field, frozenset(), (), 0), demands, shape_of)


def kinds_of(sources: Sources, shape_of: ShapeOf) -> frozenset[str] | None:
    """Return the kinds of a value from these sources; None if one of them may be of any kind."""
    found: frozenset[str] = frozenset()
    for source in sources:
        kinds = _shape(source, shape_of).kinds
        if kinds is None:
            return None
        found |= kinds
    return found


def listed(kinds: Iterable[str]) -> str:
    """Return kinds as a message names them."""
    return " or ".join(sorted(kinds))


def _shape(source: Source, shape_of: ShapeOf) -> ValueShape:
    if isinstance(source, Path):
        found = shape_of(source) or ANY
        # A fallback stands for null.
        return found.without_null() if source.caught else found
    if isinstance(source, Constant):
        return ValueShape(frozenset((source.kind,)), values=(source.value,))
    return ANY if source is None else of_kinds(source)


def _each(sources: Iterable[Source], shape_of: ShapeOf) -> Iterator[frozenset[str]]:
    """Yield the kinds of each source whose kinds are known."""
    for source in sources:
        kinds = _shape(source, shape_of).kinds
        if kinds:
            yield kinds


def _mismatch(comparison: Comparison, shape_of: ShapeOf) -> Wrong | None:
    symbol = comparison.symbol
    for left in _each(comparison.left, shape_of):
        for right in _each(comparison.right, shape_of):
            one, other = left - {NULL}, right - {NULL}
            if symbol in _ORDERED and not (one and other):
                message = f"{symbol} cannot compare null"
                return Wrong("type_mismatch", message, "compare with null by == or !=", comparison.offset)
            comparable = one & other & _IN_ORDER if symbol in _ORDERED else one & other
            if one and other and not comparable:
                message = f"{symbol} cannot compare {listed(one)} with {listed(other)}"
                hint = "a number is written without quotes" if one | other == _IN_ORDER else ""
                return Wrong("type_mismatch", message, hint, comparison.offset)
    return None


def _membership(comparison: Comparison, shape_of: ShapeOf) -> Wrong | None:
    holders, items = comparison.right, comparison.left
    if comparison.symbol == "contains":
        holders, items = items, holders
    for kinds in _each(holders, shape_of):
        if not kinds & {LIST, TEXT, NULL}:
            message = f"cannot look for anything in {listed(kinds)}"
            return Wrong("type_mismatch", message, "look in its keys: … in (… | keys)", comparison.offset)
    holder = holders[0] if len(holders) == 1 else None
    if isinstance(holder, Constant) and isinstance(holder.value, list):
        possible = _possible(items, shape_of)
        wrong = (None if possible is None else possible.excludes(value, comparison) for value in holder.value)
        return next((each for each in wrong if each is not None), None)
    if isinstance(holder, Path) and len(items) == 1 and isinstance(items[0], Constant):
        inside = _shape(holder, shape_of)
        if inside.items is not None and inside.items.values is not None and inside.kinds == frozenset((LIST,)):
            item = PossibleValues(inside.items.values, f"an item of `{holder}`"[:120], "", ())
            return item.excludes(items[0].value, comparison)
    return None


def _never_equal(comparison: Comparison, shape_of: ShapeOf) -> Wrong | None:
    if comparison.symbol not in ("==", "!="):
        return None
    for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
        if len(one) == 1 and isinstance(one[0], Constant):
            possible = _possible(other, shape_of)
            return None if possible is None else possible.excludes(one[0].value, comparison)
    return None


def _possible(sources: Sources, shape_of: ShapeOf) -> "PossibleValues | None":
    """Return the values that these sources may have; None if they may have any, or no path is among them."""
    known: list[object] = []
    explained: tuple[object, ...] = ()
    hint = name = ""
    for source in sources:
        shape = _shape(source, shape_of)
        if shape.values is None:
            return None
        known += shape.values
        if isinstance(source, Path):
            name, hint, explained = name or f"`{source}`"[:120], hint or shape.hint, explained or shape.explained
    return PossibleValues(known, name, hint, explained) if name else None


class PossibleValues:
    """The only values of something, by its name in messages. hint: the remedy where one of `explained` is expected."""

    def __init__(self, values: Iterable[object], name: str, hint: str, explained: tuple[object, ...]) -> None:
        self._explained = explained
        self._values = list(values)
        self._keys = {_identity(value) for value in self._values}
        self._name, self._hint = name, hint

    def excludes(self, value: object, comparison: Comparison) -> Wrong | None:
        """Return why a comparison with `value` never holds; None if it may."""
        if value is None or _identity(value) in self._keys:
            return None
        words = [each for each in self._values if isinstance(each, str)]
        slip = isinstance(value, str) and slip_of(value, words) is not None
        near = did_you_mean(value, words) if isinstance(value, str) else ""
        shown = ", ".join(str(each)[:40] for each in self._values[:_SHOWN])
        meant = self._hint if value in self._explained else ""
        hint = near if slip and near else meant or near or f"one of: {shown}"
        message = f"{self._name} is never {str(value)[:60]!r}"
        return Wrong("unknown_value", message, hint, comparison.offset, "error" if slip else "warning")


def _identity(value: object) -> object:
    """Return a key that two equal values share; true is not 1, and 1.0 is."""
    return (isinstance(value, bool), value) if isinstance(value, str | int | float) else str(value)


def _misuse(use: Use, shape_of: ShapeOf) -> Wrong | None:
    for kinds in _each(use.sources, shape_of):
        if kinds - {NULL} and not kinds & use.kinds:
            boolean = BOOLEAN in use.kinds
            message = f"{use.symbol} needs {listed(use.kinds)}, not {listed(kinds - {NULL})}"
            hint = "compare it, for example with != null" if boolean else _concatenated(use, kinds)
            return Wrong("not_a_boolean" if boolean else "type_mismatch", message, hint, use.offset)
    return None


def _concatenated(use: Use, kinds: frozenset[str]) -> str:
    return "text is put together by a template: '{{ a }} {{ b }}'" if use.symbol == "+" and TEXT in kinds else ""


def _of_null(sources: Sources, at: Comparison | Use, demands: Demands, shape_of: ShapeOf) -> Iterator[Wrong]:
    """Yield a warning for each source that may be null where null fails."""
    for source in sources:
        shape = _shape(source, shape_of)
        nullable = shape.kinds is not None and NULL in shape.kinds
        if isinstance(source, Path) and nullable and source.parts not in demands.guarded:
            failing = f"`{at.symbol}`" if at.symbol in _WORDS else at.symbol
            shown = f"`{str(source)[:120]}`"
            message = f"{shown} may be null, and {failing} fails then"
            if shape.kinds == frozenset((NULL,)):
                message = f"{shown} is null, and {failing} fails for it"
            hint = shape.hint or "give a fallback: `| default(…)` or `|| …`"
            yield Wrong("may_be_null", message, hint, at.offset, "warning")
