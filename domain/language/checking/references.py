"""Expressions and templates in a definition: they must be readable, and their references must be able to resolve."""

from collections import Counter
from collections.abc import Collection, Iterable
from collections.abc import Mapping as Types
from dataclasses import dataclass, field, replace

from domain.language.checking.absences import (
    empty_output,
    missing_on_the_way,
    no_payload,
    null_on_the_way,
    undeclared_part,
)
from domain.language.checking.certain import Trial, certain_failures
from domain.language.checking.dependencies import Graph
from domain.language.checking.enclosing import Enclosing
from domain.language.checking.kinds import (
    Demands,
    distinguishing_members,
    faults,
    not_boolean,
    null_checked,
    null_condition,
    null_field,
    outcomes_read,
)
from domain.language.checking.known import CalledShapes, KnownShapes, incomplete
from domain.language.checking.literals import literal_faults
from domain.language.checking.mappings import takes_no_null, unfit
from domain.language.checking.paths import Wrong
from domain.language.checking.places import NullGuards, Place
from domain.language.checking.routes import is_otherwise, routes_of
from domain.language.checking.shapes import BOOLEAN, NULL, NUMBER, ValueShape
from domain.language.checking.skipping import Skipping
from domain.language.expressions import (
    ROOTS,
    Condition,
    ExpressionProblem,
    Path,
    TextTemplate,
    parse_condition,
    parse_template,
)
from domain.language.reading.nodes import Mapping, Node, Scalar, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import is_call, item_name, own_names
from domain.language.spelling.compensations import compensation_of
from domain.language.types.steps import STEP_TYPES, Step
from domain.language.types.steps.compensation import COMPENSATION_TYPES, Compensating
from domain.language.types.steps.repetition import LAST
from domain.words import did_you_mean

# So many times is a value rendered in one step before there is a warning.
MANY = 20
_SMALL = frozenset((NUMBER, BOOLEAN, NULL))


@dataclass(frozen=True, slots=True)
class References:
    """The possible references of expressions. has_webhook: whether a trigger of the process is a webhook.

    own: the names that some expressions of the step begin with; item: that of its item. enclosing: the step that holds
    the body which the expressions stand in, None for a process.
    """

    graph: Graph
    known: KnownShapes
    skipping: Skipping
    problems: Problems
    called: CalledShapes
    has_webhook: bool
    enclosing: Enclosing | None = None
    own: tuple[str, ...] = ()
    item: str | None = None
    # By object, the members by which conditions distinguish such objects.
    _distinguishing: dict[tuple[str | int, ...], set[str | int]] = field(default_factory=dict)
    trial: Trial = field(default_factory=Trial)
    _seen: Counter[tuple[int | None, Path]] = field(default_factory=Counter)
    # Without these parts a step has failed before the outputs are evaluated.
    _read: set[tuple[str | int, ...]] = field(default_factory=set)

    @property
    def roots(self) -> tuple[str, ...]:
        """The names that a path may begin with, or might mean to."""
        return (*ROOTS, *self.own, *(() if self.enclosing is None else self.enclosing.all_names))

    def knowing(self, **names: ValueShape) -> "References":
        """Return the same with names that the paths of some expressions of a step begin with."""
        return replace(self, known=replace(self.known, names=names))

    def distinguish(self, members: Iterable[tuple[str | int, ...]]) -> None:
        """Note members by which conditions distinguish objects: which others are there may follow from them."""
        for *holder, member in members:
            self._distinguishing.setdefault(tuple(holder), set()).add(member)

    def of_step(self, step: Mapping) -> "References":
        """Return the same for the expressions of a step, which may read the names of its own where they are known."""
        return replace(self, own=own_names(step), item=item_name(step))

    def check_step(self, at: int, step: Mapping) -> Place:
        """Note problems in the conditions and the templates of the step at position `at` of the list; return its place.

        The check of calls notes those of the other fields of a call.
        """
        place = Place(at)
        for part in (step, *routes_of(step)):
            condition = part.entries.get("condition")
            if part is not step and is_otherwise(condition):
                continue  # the check of routes names the remedy
            if isinstance(condition, Scalar) and isinstance(condition.value, str) and condition.value:
                found = self.check_condition(condition, condition.value, place)
                if part is step and found is not None:
                    place = Place(at, guarded=null_checked(found), checked=outcomes_read(found))
        if not is_call(step):
            self._fields(step, STEP_TYPES, place)
        compensation = compensation_of(step)
        if compensation is not None:
            # It may follow any step: whether that one has run is unknown beforehand.
            self._fields(compensation, COMPENSATION_TYPES, Place(undoing=True))
        return place

    def check_templates(self, node: Node, place: Place, field: str = "") -> None:
        """Note problems in every template of a value. field: the field of a step that holds it."""
        for scalar in scalars(node):
            if not isinstance(scalar.value, str):
                continue
            for wrong in literal_faults(scalar.value, field, self.known.names):
                self.note(wrong, scalar)
            if "{{" in scalar.value:
                try:
                    template = parse_template(scalar.value, self.roots)
                except ExpressionProblem as problem:
                    self._unreadable(problem, scalar)
                else:
                    demands = Demands.of(template, place.guarded)
                    right = self._paths(template.paths, scalar, place, demands.guarded)
                    self._demands(template, demands, scalar, place)
                    found = unfit(template, field, self.known.shape) if right else None
                    if found is not None:
                        self.note(found, scalar)
                    elif takes_no_null(field):
                        for wrong in null_field(template, f"`{field}`", demands, self.known.shape):
                            self.note(wrong, scalar)

    def _fields(self, part: Mapping, types: Types[str, type[Step | Compensating]], place: Place) -> None:
        kind = types.get(text_of(part.entries.get("type")) or "")
        for name in kind.templates if kind is not None else ():
            if name in part.entries:
                self.check_templates(part.entries[name], place, name)

    def check_condition(self, node: Scalar, text: str, place: Place) -> Condition | None:
        """Note problems of a condition; return it, None for one that cannot be read."""
        try:
            condition = parse_condition(text, self.roots)
        except ExpressionProblem as problem:
            self._unreadable(problem, node)
            return None
        demands = Demands.of(condition, place.guarded)
        self.distinguish(distinguishing_members(condition))
        self._paths(condition.paths, node, place, demands.guarded)
        self._demands(condition, demands, node, place)
        if (found := not_boolean(condition.sources, self.known.shape)) is not None:
            self.note(found, node)
        for wrong in null_condition(condition, demands, self.known.shape):
            self.note(wrong, node)
        return condition

    def _unreadable(self, problem: ExpressionProblem, node: Scalar) -> None:
        message = f"{problem.message} (at character {problem.offset + 1} of this text)"
        self.problems.add(problem.code, message, node, hint=problem.hint or "")

    def _paths(self, paths: tuple[Path, ...], node: Scalar, place: Place, guarded: NullGuards) -> bool:
        """Note problems of paths; return whether there are none. guarded: the paths that are compared with null."""
        noted: set[str] = set()
        for path in paths:
            found = self._wrong(path, place.step)
            if found is None and not path.caught:
                found = empty_output(path, self.known)
            if found is None and not place.undoing and not path.caught:
                found = self._may_be_skipped(path, place.step) or self._may_be_null(path, place, guarded)
                if found is None and place.step is None and path.parts not in self._read:
                    found = undeclared_part(path, self.known)
            if found is not None and found.message not in noted:
                noted.add(found.message)
                self.note(found, node)
            self._multiplied(path, node, place.step)
            if place.step is not None and not path.caught:
                self._read.add(path.parts)
        return not noted

    def note(self, found: Wrong, node: Node) -> None:
        """Note a mistake in the text of a node."""
        message = f"{found.message} (at character {found.offset + 1} of this text)"
        self.problems.add(found.code, message, node, hint=found.hint, severity=found.severity)

    def _may_be_skipped(self, path: Path, at: int | None) -> Wrong | None:
        """Return a warning of an output that may not be there, where nothing catches that."""
        name = str(path.parts[1]) if path.parts[0] == "steps" and path.parts[2:3] == ("output",) else None
        if name is None or self.problems.full("warning"):
            return None
        reason = self.skipping.reason(self.graph.ids[name], at)
        if reason is None:
            return None
        message = f"`{name}` may have no output here: {reason}"
        return Wrong("may_be_skipped", message, "give a fallback: `| default(…)` or `|| …`", path.offset, "warning")

    def _may_be_null(self, path: Path, place: Place, guarded: NullGuards) -> Wrong | None:
        """Return a warning of a member of something that is null or may be, where nothing catches that."""
        if self.problems.full("warning"):
            return None
        if (found := null_on_the_way(path, self.known, guarded)) is not None:
            return found
        if (found := no_payload(path, self.enclosing)) is not None and not self.has_webhook:
            return found
        if (found := missing_on_the_way(path, self.known, self._distinguishing)) is not None:
            return found
        if path.parts[0] != "steps" or path.parts[2:3] != ("error",) or len(path.parts) < 4:
            return None
        name = str(path.parts[1])
        if name in place.checked or not self.skipping.may_complete_before(self.graph.ids[name], place.step):
            return None
        message = f"`steps.{name}.error` is null here where `{name}` has not failed"
        return Wrong("may_be_null", message, "give a fallback: `| default(…)` or `|| …`", path.offset, "warning")

    def _multiplied(self, path: Path, node: Scalar, at: int | None) -> None:
        """Warn of a value that is rendered so often in one step that a large one cannot be."""
        key = at, Path(path.parts, 0)
        self._seen[key] += 1
        shape = self.known.shape(path)
        if self._seen[key] == MANY and (shape is None or shape.kinds is None or shape.kinds - _SMALL):
            message = f"`{str(path)[:120]}` stands {MANY} times or more in one step, and counts each time"
            hint = "what a step is given, taken together, is bounded: pass it on once, or a part of it"
            self.note(Wrong("multiplied_reference", message, hint, path.offset, "warning"), node)

    def _demands(self, text: Condition | TextTemplate, demands: Demands, node: Scalar, place: Place) -> None:
        found = list(faults(demands, self.known.shape))
        for each in found:
            # Which decisions and statuses a compensation meets is unknown beforehand.
            if not (place.undoing and each.code == "unknown_value" and each.severity == "warning"):
                self.note(each, node)
        if all(each.severity != "error" for each in found):
            for each in certain_failures(text, self.trial):
                self.note(each, node)

    def _wrong(self, path: Path, at: int | None) -> Wrong | None:
        """Return the mistake in a path; None if it may resolve."""
        root, *rest = path.parts
        if root not in ROOTS:
            return self._wrong_name(str(root), path)
        if not rest:
            return None if root in ("input", "trigger") else incomplete(str(root), path)
        name = str(rest[0])
        if root == "steps" and (found := self._wrong_step(name, rest[1:], path, at)) is not None:
            return found
        if root == "input" and self.known.inputs is not None and name not in self.known.inputs:
            if (outside := self._unseen(path)) is not None:
                return outside
            hint = self._near(name, self.known.inputs)
            if self.enclosing is not None and not hint:
                hint = f"the `input_mapping` of `{self.enclosing.step}` gives its steps their input"
            return Wrong("unknown_input", f"no input `{name[:60]}` is declared", hint, path.offset)
        found_at = self.known.at(path)
        return found_at if isinstance(found_at, Wrong) else None

    def _wrong_name(self, root: str, path: Path) -> Wrong | None:
        if root in self.known.names:
            if root == LAST and len(path.parts) == 1:
                return Wrong("incomplete_path", "`last` alone is not a value", "go on with `last.output`", path.offset)
            found = self.known.at(path)
            return found if isinstance(found, Wrong) else None
        if root in self.own:
            where = "`key` and `input_mapping`" if root == self.item else "`until` and `carry`"
            return Wrong("unknown_root", f"{root!r} is known in {where} alone", "", path.offset)
        return self._unseen(path)

    def _unseen(self, path: Path) -> Wrong | None:
        return None if self.enclosing is None else self.enclosing.unseen(path)

    def _wrong_step(self, name: str, rest: list[str | int], path: Path, at: int | None) -> Wrong | None:
        if name not in self.graph.ids:
            if (outside := self._unseen(path)) is not None:
                return outside
            hint = self._near(name, self.graph.ids)
            if holders := self.known.inside.get(name):
                holder = next((each for each in holders if self.graph.ids[each] == at), holders[0])
                hint = f"it is inside `{holder}`: an output of `{holder}` gives its value"
            return Wrong("unknown_step", f"there is no step `{name[:60]}`", hint, path.offset)
        if at is not None and self.graph.ids[name] == at:
            hint = "the output of the round is `last.output`" if LAST in self.own else ""
            return Wrong("step_not_upstream", f"`{name}` refers to itself, before it has run", hint, path.offset)
        if at is not None and not self.graph.upstream(at, name):
            message = f"`{name}` does not have to have ended before this step"
            hint = f"add `{name}` to `depends_on`, of this step or of one before it"
            return Wrong("step_not_upstream", message, hint, path.offset)
        return None if rest else incomplete(f"steps.{name}", path)

    def _near(self, name: str, known: Collection[str]) -> str:
        return "" if self.problems.full() else did_you_mean(name, known)
