"""Expressions and templates in a definition: they must be readable, and their references must be able to resolve."""

from collections import Counter
from collections.abc import Collection
from collections.abc import Mapping as Types
from dataclasses import dataclass, field

from domain.language.checking.dependencies import Graph
from domain.language.checking.paths import Wrong, follow, mismatch, not_boolean
from domain.language.checking.routes import routes_of
from domain.language.checking.shapes import (
    ANY,
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    ValueShape,
    of_kinds,
    of_object,
    step_shape,
)
from domain.language.checking.skipping import Skipping
from domain.language.expressions import Comparison, ExpressionProblem, Path, parse_condition, parse_template
from domain.language.reading.nodes import Mapping, Node, Scalar, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.compensations import compensation_of
from domain.language.types.steps import STEP_TYPES, Step
from domain.language.types.steps.compensation import COMPENSATION_TYPES, Compensating
from domain.words import did_you_mean

# So many times is a value rendered in one step before there is a warning.
MANY = 20
_SMALL = frozenset((NUMBER, BOOLEAN, NULL))

_TEXT_OR_NULL = of_kinds(TEXT, NULL)
ROOT_SHAPES = {
    "execution": of_object(id=of_kinds(TEXT), started_at=_TEXT_OR_NULL),
    "process": of_object(name=of_kinds(TEXT), version=of_kinds(NUMBER)),
    "trigger": of_object(type=of_kinds(TEXT), id=_TEXT_OR_NULL, payload=ANY, scheduled_at=_TEXT_OR_NULL),
}


@dataclass(frozen=True, slots=True)
class References:
    """The possible references of expressions. inputs: shapes of declared input fields, None when none are declared.

    shapes: the shape of each step by its id.
    """

    graph: Graph
    inputs: Types[str, ValueShape] | None
    shapes: Types[str, ValueShape]
    skipping: Skipping
    problems: Problems
    _seen: Counter[tuple[int | None, Path]] = field(default_factory=Counter)

    def check_step(self, at: int, step: Mapping) -> None:
        """Note problems in the conditions and the templates of the step at position `at` of the list."""
        for part in (step, *routes_of(step)):
            condition = part.entries.get("condition")
            if isinstance(condition, Scalar) and isinstance(condition.value, str) and condition.value:
                self._condition(condition, condition.value, at)
        self._fields(step, STEP_TYPES, at)
        compensation = compensation_of(step)
        if compensation is not None:
            # It may follow any step: whether that one has run is unknown beforehand.
            self._fields(compensation, COMPENSATION_TYPES, None, undoing=True)

    def check_templates(self, node: Node, at: int | None, *, undoing: bool = False) -> None:
        """Note problems in every template of a value; `at` is its step, None where all steps have ended."""
        for scalar in scalars(node):
            if isinstance(scalar.value, str) and "{{" in scalar.value:
                try:
                    template = parse_template(scalar.value)
                except ExpressionProblem as problem:
                    self._unreadable(problem, scalar)
                else:
                    self._paths(template.paths, scalar, at, undoing=undoing)
                    self._compared(template.comparisons, scalar)

    def _fields(
        self, part: Mapping, types: Types[str, type[Step | Compensating]], at: int | None, *, undoing: bool = False
    ) -> None:
        kind = types.get(text_of(part.entries.get("type")) or "")
        for name in kind.templates if kind is not None else ():
            if name in part.entries:
                self.check_templates(part.entries[name], at, undoing=undoing)

    def _condition(self, node: Scalar, text: str, at: int) -> None:
        try:
            condition = parse_condition(text)
        except ExpressionProblem as problem:
            self._unreadable(problem, node)
        else:
            self._paths(condition.paths, node, at)
            self._compared(condition.comparisons, node)
            if (found := not_boolean(condition.sources, self._kinds)) is not None:
                self._note(found, node)

    def _unreadable(self, problem: ExpressionProblem, node: Scalar) -> None:
        message = f"{problem.message} (at character {problem.offset + 1} of this text)"
        self.problems.add(problem.code, message, node, hint=problem.hint or "")

    def _paths(self, paths: tuple[Path, ...], node: Scalar, at: int | None, *, undoing: bool = False) -> None:
        noted: set[str] = set()
        for path in paths:
            found = self._wrong(path, at)
            if found is not None and found.message not in noted:
                noted.add(found.message)
                self._note(found, node)
            elif found is None and not undoing:
                self._may_be_skipped(path, node, at, noted)
            self._multiplied(path, node, at)

    def _note(self, found: Wrong, node: Scalar) -> None:
        message = f"{found.message} (at character {found.offset + 1} of this text)"
        self.problems.add(found.code, message, node, hint=found.hint, severity=found.severity)

    def _may_be_skipped(self, path: Path, node: Scalar, at: int | None, noted: set[str]) -> None:
        """Warn of an output that may not be there, where nothing catches that."""
        name = str(path.parts[1]) if path.parts[0] == "steps" and path.parts[2:3] == ("output",) else None
        if name is None or path.caught or self.problems.full("warning"):
            return
        reason = self.skipping.reason(self.graph.ids[name], at)
        message = f"`{name}` may have no output here: {reason}"
        if reason is not None and message not in noted:
            noted.add(message)
            hint = "give a fallback: `| default(…)` or `|| …`"
            self._note(Wrong("may_be_skipped", message, hint, path.offset, "warning"), node)

    def _multiplied(self, path: Path, node: Scalar, at: int | None) -> None:
        """Warn of a value that is rendered so often in one step that a large one cannot be."""
        key = at, Path(path.parts, 0)
        self._seen[key] += 1
        kinds = self._kinds(path)
        if self._seen[key] == MANY and (kinds is None or kinds - _SMALL):
            message = f"`{str(path)[:120]}` stands {MANY} times or more in one step, and counts each time"
            hint = "what a step is given, taken together, is bounded: pass it on once, or a part of it"
            self._note(Wrong("multiplied_reference", message, hint, path.offset, "warning"), node)

    def _compared(self, comparisons: tuple[Comparison, ...], node: Scalar) -> None:
        for comparison in comparisons:
            if (found := mismatch(comparison, self._kinds)) is not None:
                self._note(found, node)

    def _kinds(self, path: Path) -> frozenset[str] | None:
        """Return the kinds of the value of a path; None if they are unknown or the path is wrong."""
        shape = self._shape(path)
        found = None if shape is None else follow(path, shape[0], shape[1])
        return found.kinds if isinstance(found, ValueShape) else None

    def _shape(self, path: Path) -> tuple[ValueShape, int] | None:
        """Return a known shape and the number of parts of the path that lead to it."""
        root, *rest = path.parts
        if not rest:
            return None
        name = str(rest[0])
        if root == "steps":
            shape = self.shapes.get(name)
            return None if shape is None else (shape, 2)
        if root == "input":
            return (self.inputs[name], 2) if self.inputs is not None and name in self.inputs else None
        return ROOT_SHAPES[str(root)], 1

    def _wrong(self, path: Path, at: int | None) -> Wrong | None:
        """Return the mistake in a path; None if it may resolve."""
        root, *rest = path.parts
        if not rest:
            return None if root in ("input", "trigger") else _incomplete(str(root), path)
        name = str(rest[0])
        if root == "steps" and (found := self._wrong_step(name, rest[1:], path, at)) is not None:
            return found
        if root == "input" and self.inputs is not None and name not in self.inputs:
            hint = self._near(name, self.inputs)
            return Wrong("unknown_input", f"no input `{name[:60]}` is declared", hint, path.offset)
        shape = self._shape(path)
        found_at = None if shape is None else follow(path, shape[0], shape[1])
        return found_at if isinstance(found_at, Wrong) else None

    def _wrong_step(self, name: str, rest: list[str | int], path: Path, at: int | None) -> Wrong | None:
        if name not in self.graph.ids:
            hint = self._near(name, self.graph.ids)
            return Wrong("unknown_step", f"there is no step `{name[:60]}`", hint, path.offset)
        if at is not None and self.graph.ids[name] == at:
            return Wrong("step_not_upstream", f"`{name}` refers to itself, before it has run", "", path.offset)
        if at is not None and not self.graph.upstream(at, name):
            message = f"`{name}` does not have to have ended before this step"
            hint = f"add `{name}` to `depends_on`, of this step or of one before it"
            return Wrong("step_not_upstream", message, hint, path.offset)
        return None if rest else _incomplete(f"steps.{name}", path)

    def _near(self, name: str, known: Collection[str]) -> str:
        return "" if self.problems.full() else did_you_mean(name, known)


def _incomplete(name: str, path: Path) -> Wrong:
    members = step_shape(ANY).members if name.startswith("steps.") else ROOT_SHAPES.get(name, ANY).members
    hint = f"go on with one of: {', '.join(members or ('ID.output',))}"
    return Wrong("incomplete_path", f"`{name}` alone is not a value", hint, path.offset)
