"""Finds the steps that may have no output when another step reads it, and why."""

from collections.abc import Iterator
from functools import cache, reduce
from operator import and_, or_

from domain.language.checking.leads import targets_of
from domain.language.checking.routes import PARALLEL, gateway_type
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, text_of

# By field: the word that leaves the step out, the key that names where to go on instead, and why that happens.
_FALLBACKS = {"on_error": ("skip_step", "goto_step", "an error"), "on_timeout": ("skip", "goto", "a timeout")}


class Skipping:
    """Follows the edges of a graph of steps; a step is known by its position in the list.

    ids: the position of each step. A graph with a cycle is an error by itself and yields no reasons.
    """

    def __init__(self, steps: list[Node], ids: dict[str, int]) -> None:
        self._steps = steps
        self._ids = ids
        size = len(steps)
        # By position, a bit for each step: those that lead there, and those that do not if they are skipped.
        self._incoming = [0] * size
        self._unskipped = [0] * size
        for at, step in enumerate(steps):
            for other in self._positions(_depends_on(step)):
                self._incoming[at] |= 1 << other
        for at, step in enumerate(steps):
            if isinstance(step, Mapping):
                self._add_leads(at, step)
        # The same from the other end: the steps that each leads to, and those of them that its skipping does not reach.
        self._successors = _turned(self._incoming)
        self._optional = _turned(self._unskipped)
        self._order = self._ordered()
        self._goes_round = len(self._order) < size
        self._sure = 0 if self._goes_round else self._surely_reached()
        self._without = cache(self._reached_without)
        self._with = cache(self._reached_with)

    def _add_leads(self, at: int, step: Mapping) -> None:
        kind = gateway_type(step)
        for target in self._positions(targets_of(step)):
            if kind is not None or not self._incoming[target] >> at & 1:
                self._unskipped[target] |= 1 << at
            self._incoming[target] |= 1 << at

    def reason(self, step: int, reader: int | None) -> str | None:
        """Return why `step` may have no output when `reader` runs; None if it always has one then.

        reader: None for the outputs of the execution.
        """
        for reason, reached in () if self._goes_round else self._without(step):
            if reader is None or reached >> reader & 1:
                return reason
        return None

    def may_complete_before(self, step: int, reader: int | None) -> bool:
        """Return whether `reader` may run after `step` has completed; None for the outputs of the execution."""
        if self._goes_round or reader is None:
            return not self._goes_round
        return bool(self._with(step) >> reader & 1)

    def _reached_with(self, step: int) -> int:
        """Return a bit for each step that may run after `step` has completed."""
        return self._reached(step, self._successors[step] & ~self._optional[step])

    def _reached_without(self, step: int) -> list[tuple[str, int]]:
        """Return for each way to have no output: the reason, and a bit for each step that may run all the same."""
        node = self._steps[step]
        if not isinstance(node, Mapping):
            return []
        after = self._successors[step]
        plain = after & ~self._optional[step]
        found: list[tuple[str, int]] = []
        if _may_be_false(node.entries.get("condition")):
            found.append(("its condition may be false", self._reached(step, plain)))
        for why, target in _fallbacks(node):
            if target is None:
                found.append((f"{why} may skip it", self._reached(step, plain)))
            elif target in self._ids:
                found.append((f"{why} may lead past it", self._reached(step, 1 << self._ids[target])))
        if not self._sure >> step & 1:
            found.append(("another branch may be taken", self._reached(step, 0)))
        return found

    def _reached(self, step: int, live: int) -> int:
        """Return a bit for each step that may run if `step` leads only to the steps in `live`."""
        reached = 0
        for at in self._order:
            incoming = self._incoming[at]
            if at == step:
                continue
            if not incoming or incoming & reached or (incoming >> step & 1 and live >> at & 1):
                reached |= 1 << at
        return reached

    def _surely_reached(self) -> int:
        """Return a bit for each step that every execution reaches unless a step fails it."""
        follow: dict[int, int] = {}
        for at in reversed(self._order):
            follow[at] = 1 << at | self._surely_after(at, follow)
        sure = 0
        for at in self._order:
            if not self._incoming[at]:
                sure |= follow[at]
        return sure

    def _surely_after(self, step: int, follow: dict[int, int]) -> int:
        """Return a bit for each step reached however `step` ends. follow: the same for the steps after it."""
        node = self._steps[step]
        after, optional = self._successors[step], self._optional[step]
        plain = reduce(or_, (follow[at] for at in _bits(after & ~optional)), 0)
        if not isinstance(node, Mapping):
            return plain
        always = plain
        kind = gateway_type(node)
        fallbacks = list(_fallbacks(node))
        skips = any(target is None for _, target in fallbacks) or _may_be_false(node.entries.get("condition"))
        targets = [self._ids[name] for each in targets_of(node) if (name := text_of(each)) in self._ids]
        if kind is not None and not skips and targets:
            # A parallel gateway takes all its routes, any other one at least.
            always |= reduce(or_ if kind == PARALLEL else and_, (follow[at] for at in targets))
        for target in (text_of(each) for each in _gotos(node)):
            if target in self._ids:
                always &= follow[self._ids[target]]
        return always

    def _ordered(self) -> list[int]:
        """Return the steps, each after those that lead to it; steps of a cycle are missing."""
        done = 0
        ordered: list[int] = []
        left = list(range(len(self._steps)))
        while left:
            ready = [at for at in left if not self._incoming[at] & ~done]
            if not ready:
                return ordered
            for at in ready:
                done |= 1 << at
            ordered += ready
            taken = set(ready)
            left = [at for at in left if at not in taken]
        return ordered

    def _positions(self, nodes: Iterator[Node]) -> Iterator[int]:
        for node in nodes:
            name = text_of(node)
            if name is not None and name in self._ids:
                yield self._ids[name]


def _depends_on(step: Node) -> Iterator[Node]:
    needed = step.entries.get("depends_on") if isinstance(step, Mapping) else None
    yield from needed.items if isinstance(needed, Sequence) else ()


def _may_be_false(condition: Node | None) -> bool:
    return isinstance(condition, Scalar) and condition.value not in (None, True)


def _fallbacks(step: Mapping) -> Iterator[tuple[str, str | None]]:
    """Yield each end without an output after which the execution goes on: reason and target, None for dependents.

    A refused or expired approval has an output.
    """
    approval = text_of(step.entries.get("type")) == "human_approval"
    for field, (word, key, why) in _FALLBACKS.items():
        node = step.entries.get(field)
        if approval and field == "on_error":
            continue
        if text_of(node) == word:
            yield why, None
        target = text_of(node.entries.get(key)) if isinstance(node, Mapping) else None
        if target is not None:
            yield why, target


def _gotos(step: Mapping) -> Iterator[Node]:
    """Yield the targets that the step names for its failure."""
    for field, (_, key, _) in _FALLBACKS.items():
        node = step.entries.get(field)
        if isinstance(node, Mapping) and key in node.entries:
            yield node.entries[key]


def _turned(edges: list[int]) -> list[int]:
    """Return by position a bit for each place whose bits hold that position."""
    turned = [0] * len(edges)
    for at, others in enumerate(edges):
        for other in _bits(others):
            turned[other] |= 1 << at
    return turned


def _bits(places: int) -> Iterator[int]:
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest
