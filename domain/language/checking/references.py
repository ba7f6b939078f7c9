"""Expressions and templates in a definition: they must be readable, and their references must be able to resolve."""

from collections.abc import Collection
from collections.abc import Mapping as Types
from dataclasses import dataclass

from domain.language.checking.dependencies import Graph
from domain.language.checking.routes import routes_of
from domain.language.expressions import ExpressionProblem, Path, parse_condition, parse_template
from domain.language.reading.nodes import Mapping, Node, Scalar, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.compensations import compensation_of
from domain.language.types.steps import STEP_TYPES, Step
from domain.language.types.steps.compensation import COMPENSATION_TYPES, Compensating
from domain.words import did_you_mean

STEP_MEMBERS = ("output", "status", "error", "duration", "cost", "started_at", "completed_at")
MEMBERS = {
    "execution": ("id", "started_at"),
    "process": ("name", "version"),
    "trigger": ("type", "id", "payload", "scheduled_at"),
}


@dataclass(frozen=True, slots=True)
class References:
    """The possible references of expressions. inputs: declared input fields, None when none are declared."""

    graph: Graph
    inputs: Collection[str] | None
    problems: Problems

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
            self._fields(compensation, COMPENSATION_TYPES, None)

    def check_templates(self, node: Node, at: int | None) -> None:
        """Note problems in every template of a value; `at` is its step, None where all steps have ended."""
        for scalar in scalars(node):
            if isinstance(scalar.value, str) and "{{" in scalar.value:
                try:
                    template = parse_template(scalar.value)
                except ExpressionProblem as problem:
                    self._unreadable(problem, scalar)
                else:
                    self._paths(template.paths, scalar, at)

    def _fields(self, part: Mapping, types: Types[str, type[Step | Compensating]], at: int | None) -> None:
        kind = types.get(text_of(part.entries.get("type")) or "")
        for field in kind.templates if kind is not None else ():
            if field in part.entries:
                self.check_templates(part.entries[field], at)

    def _condition(self, node: Scalar, text: str, at: int) -> None:
        try:
            condition = parse_condition(text)
        except ExpressionProblem as problem:
            self._unreadable(problem, node)
        else:
            self._paths(condition.paths, node, at)

    def _unreadable(self, problem: ExpressionProblem, node: Scalar) -> None:
        message = f"{problem.message} (at character {problem.offset + 1} of this text)"
        self.problems.add(problem.code, message, node, hint=problem.hint or "")

    def _paths(self, paths: tuple[Path, ...], node: Scalar, at: int | None) -> None:
        noted: set[str] = set()
        for path in paths:
            found = self._path(path, at)
            if found is not None and found[1] not in noted:
                code, message, hint = found
                noted.add(message)
                self.problems.add(code, f"{message} (at character {path.offset + 1} of this text)", node, hint=hint)

    def _path(self, path: Path, at: int | None) -> tuple[str, str, str] | None:
        """Return code, message and hint of the problem of a path, None when it can resolve."""
        root, *rest = path.parts
        if not rest:
            return None if root in ("input", "trigger") else _incomplete(str(root))
        name = str(rest[0])
        if root == "steps":
            return self._step_path(name, rest[1:], at)
        if root == "input":
            if self.inputs is None or name in self.inputs:
                return None
            return "unknown_input", f"no input `{name[:60]}` is declared", self._near(name, self.inputs)
        known = MEMBERS[str(root)]
        if name not in known:
            return "unknown_member", f"`{root}` has no `{name[:60]}`", _known(name, known)
        return None

    def _step_path(self, name: str, rest: list[str | int], at: int | None) -> tuple[str, str, str] | None:
        if name not in self.graph.ids:
            return "unknown_step", f"there is no step `{name[:60]}`", self._near(name, self.graph.ids)
        if at is not None and self.graph.ids[name] == at:
            return "step_not_upstream", f"`{name}` refers to itself, before it has run", ""
        if at is not None and not self.graph.upstream(at, name):
            message = f"`{name}` does not have to have ended before this step"
            return "step_not_upstream", message, f"add `{name}` to `depends_on`, of this step or of one before it"
        if not rest:
            return _incomplete(f"steps.{name}")
        if rest[0] not in STEP_MEMBERS:
            return "unknown_member", f"a step has no `{str(rest[0])[:60]}`", _known(str(rest[0]), STEP_MEMBERS)
        return None

    def _near(self, name: str, known: Collection[str]) -> str:
        return "" if self.problems.full() else did_you_mean(name, known)


def _incomplete(path: str) -> tuple[str, str, str]:
    known = STEP_MEMBERS if path.startswith("steps.") else MEMBERS.get(path, ("ID.output",))
    return "incomplete_path", f"`{path}` alone is not a value", f"go on with one of: {', '.join(known)}"


def _known(name: str, known: tuple[str, ...]) -> str:
    return did_you_mean(name, known) or f"one of: {', '.join(known)}"
