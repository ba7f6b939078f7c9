"""Gateways whose routes leave a known value open: no route is taken then, and the execution fails."""

from itertools import product
from math import prod

from domain.language.checking.certain import Trial
from domain.language.checking.dependencies import Graph
from domain.language.checking.kinds import distinguishing_members
from domain.language.checking.known import KnownShapes
from domain.language.checking.routes import PARALLEL, gateway_type, routes_of
from domain.language.checking.shapes import BOOLEAN, NULL
from domain.language.expressions import Condition, EvaluationFailed, ExpressionProblem, Path, parse_condition
from domain.language.reading.nodes import Mapping, Node, Scalar, text_of
from domain.language.reading.problems import Problems

_Parts = tuple[str | int, ...]

_MOST_PATHS = 3
_MOST_TRIED = 64
_MOST_EVALUATED = 20_000  # characters of conditions, each time they are evaluated
_SHOWN = 5
_CHOICES = ("agent_task", "human_approval")


class StepConditions:
    """The conditions of steps and routes. distinguishing: the members by which they distinguish objects.

    trial: bounds their evaluation.
    """

    def __init__(self, steps: list[Node], roots: tuple[str, ...], trial: Trial) -> None:
        self.trial = trial
        self._of_routes: dict[int, list[Condition | bool | None]] = {}
        self._read: dict[_Parts, int] = {}
        self.distinguishing: set[_Parts] = set()
        for at, step in enumerate(steps):
            if isinstance(step, Mapping):
                own = _parsed(step.entries.get("condition"), roots)
                routes = [_parsed(route.entries.get("condition"), roots) for route in routes_of(step)]
                self._of_routes[at] = routes
                for each in (own, *routes):
                    if isinstance(each, Condition):
                        self._note(each, at)

    def of_routes(self, at: int) -> list[Condition | bool | None]:
        """Return the conditions of the routes of the step at a position; None for one that is not there."""
        return self._of_routes.get(at, [])

    def read_before(self, path: Path, at: int, graph: Graph) -> bool:
        """Return whether a condition of a step upstream reads a value, or one that holds it."""
        if graph.ancestors is None:
            return True
        read = 0
        for length in range(1, len(path.parts) + 1):
            read |= self._read.get(path.parts[:length], 0)
        return bool(read & graph.ancestors.get(at, 0))

    def _note(self, condition: Condition, at: int) -> None:
        self.distinguishing |= distinguishing_members(condition)
        for path in condition.paths:
            self._read[path.parts] = self._read.get(path.parts, 0) | 1 << at


def check_open_routes(
    at: int, step: Mapping, conditions: StepConditions, graph: Graph, known: KnownShapes, problems: Problems
) -> None:
    """Warn of a gateway without a default that takes no route for a value of an approval, an answer or an input."""
    kind = gateway_type(step)
    if kind in (None, PARALLEL) or "condition" in step.entries or "default_route" in step.entries:
        return
    if isinstance(step.entries.get("on_error"), Mapping) or any("default" in each.entries for each in routes_of(step)):
        return
    routes = conditions.of_routes(at)
    written = [each for each in routes if isinstance(each, Condition)]
    if len(written) < len([each for each in routes if each is not False]):
        return
    paths = list({path.parts: path for condition in written for path in condition.paths}.values())
    choices = [_values(path, known) for path in paths[: _MOST_PATHS + 1]]
    if not 0 < len(paths) <= _MOST_PATHS or any(conditions.read_before(path, at, graph) for path in paths):
        return
    untaken = (
        _untaken(conditions.trial, written, paths, [each for each in choices if each is not None])
        if None not in choices
        else []
    )
    for n, path in enumerate(paths):
        others = len(untaken) and prod(len(each or ()) for m, each in enumerate(choices) if m != n)
        left = [each for each in choices[n] or () if sum(values[n] is each for values in untaken) == others > 0]
        if left:
            shown = ", ".join("null" if each is None else repr(each)[:40] for each in left[:_SHOWN])
            message = f"no route is taken where `{str(path)[:120]}` is {shown}: the execution fails then"
            hint = "add a route for it, or a `default_route`"
            problems.add("no_route", message, step.keys.get("routes", step), hint=hint, severity="warning")
            return


def _untaken(
    trial: Trial, conditions: list[Condition], paths: list[Path], choices: list[list[object]]
) -> list[tuple[object, ...]]:
    """Return the values of all paths together for which no condition holds; none if there are too many to try."""
    tried = prod(map(len, choices))
    if tried > _MOST_TRIED or tried * sum(len(each.text) for each in conditions) > _MOST_EVALUATED:
        return []
    parts = [path.parts for path in paths]
    return [
        values
        for values in product(*choices)
        if not any(_may_hold(each, dict(zip(parts, values, strict=True)), trial) for each in conditions)
    ]


def _may_hold(condition: Condition, values: dict[_Parts, object], trial: Trial) -> bool:
    """Return whether a condition holds for these values of its paths, or fails."""
    scope: dict[str, object] = {"execution": trial}
    for parts, value in values.items():
        inner = scope
        for part in parts[:-1]:
            held = inner.setdefault(str(part), {})
            if not isinstance(held, dict):
                return True
            inner = held
        inner[str(parts[-1])] = value
    try:
        return condition.evaluate(scope)
    except EvaluationFailed:
        return True


def _values(path: Path, known: KnownShapes) -> list[object] | None:
    """Return every value of a path, each of which there may be by itself; None if that is not known.

    A body gets its input from elsewhere, and its step may have run for some of the values alone.
    """
    root, name, *rest = (*path.parts, "", "")
    direct = root == "input" and not known.in_body
    chosen = root == "steps" and rest[:1] == ["output"] and known.types.get(str(name)) in _CHOICES
    shape = known.shape(path) if direct or chosen else None
    if shape is None or shape.kinds is None or any(isinstance(part, int) for part in path.parts):
        return None
    values = [True, False] if shape.kinds - {NULL} == {BOOLEAN} else shape.values
    return None if values is None else [*values, *([None] if NULL in shape.kinds else [])]


def _parsed(node: Node | None, roots: tuple[str, ...]) -> Condition | bool | None:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    text = text_of(node)
    try:
        return parse_condition(text, roots) if text else None
    except ExpressionProblem:
        return None  # reported where expressions are checked
