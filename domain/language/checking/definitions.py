"""Consistency across a definition; works on the tree, so that a problem of one part does not hide one of another."""

from collections.abc import Mapping as Types
from dataclasses import dataclass, field, replace

from domain.language.checking.body_inputs import check_body_input
from domain.language.checking.calls import check_call, enclosing_of, inputs_of_body
from domain.language.checking.certain import Trial
from domain.language.checking.children import MAX_NESTING, check_size, check_sub_process
from domain.language.checking.costs import check_costs
from domain.language.checking.dependencies import check_dependencies
from domain.language.checking.enclosing import Enclosing
from domain.language.checking.known import CalledShapes, known_shapes
from domain.language.checking.literals import fixed_faults
from domain.language.checking.notifications import check_notification
from domain.language.checking.open_routes import StepConditions, check_open_routes
from domain.language.checking.places import Place
from domain.language.checking.references import References
from domain.language.checking.routes import check_routes
from domain.language.checking.schedules import check_schedule
from domain.language.checking.sensitive import check_sensitive
from domain.language.checking.shapes import ValueShape
from domain.language.checking.skipping import Skipping
from domain.language.checking.slots import check_slots
from domain.language.checking.timing import check_retry, check_timing
from domain.language.checking.unused import check_unused
from domain.language.checking.webhooks import is_webhook
from domain.language.checking.zones import check_zones
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, plain, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import has_body, is_call
from domain.language.spelling.compensations import compensation_of
from domain.language.types.definition import MAX_STEPS
from domain.language.types.inputs import KINDS, is_of_type, kind_of, same
from domain.language.types.output_schema import InvalidOutputSchema, compile_output_schema
from domain.words import did_you_mean


def check(root: Mapping, problems: Problems, called: CalledShapes) -> None:
    """Note every inconsistency between parts of a canonical tree that are well formed by themselves.

    called: the processes that it calls, as far as they are known.
    """
    declared = root.entries.get("input")
    inputs = declared.entries if isinstance(declared, Mapping) else None
    defaults = root.entries.get("defaults")
    if isinstance(defaults, Mapping):
        _check_roles(defaults, problems)
        check_retry(defaults.entries.get("retry"), problems)
    check_size(root, problems)
    _check_steps(root, _Scope(called, isinstance(defaults, Mapping) and "timeout" in defaults.entries), problems)
    _check_unique(root, "triggers", "id", problems)
    for trigger in _items(root, "triggers"):
        _check_fixed_input(trigger, inputs, problems)
        if isinstance(trigger, Mapping):
            check_schedule(trigger, inputs, problems)
    check_costs(root, problems)
    check_zones(root, problems)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The surroundings of the steps of a process, or of a body. default_timeout: whether the defaults set a timeout.

    enclosing: the step that holds the body, None for a process. inputs: the shapes of the body's input. depth: the
    number of bodies around it. trial: bounds what the checks evaluate.
    """

    called: CalledShapes
    default_timeout: bool
    enclosing: Enclosing | None = None
    inputs: Types[str, ValueShape] | None = None
    depth: int = 0
    trial: Trial = field(default_factory=Trial)


def _check_steps(holder: Mapping, scope: _Scope, problems: Problems) -> None:
    """Note problems of the steps, the input and the outputs of a process, or of a body and the bodies inside it."""
    steps = _items(holder, "steps")[:MAX_STEPS]
    graph = check_dependencies(steps, problems, () if scope.enclosing is None else scope.enclosing.steps)
    known = known_shapes(holder, {name: steps[at] for name, at in graph.ids.items()}, scope.called)
    references = References(
        graph,
        known if scope.enclosing is None else replace(known, inputs=scope.inputs, in_body=True),
        Skipping(steps, graph.ids),
        problems,
        scope.called,
        has_webhook=any(is_webhook(trigger) for trigger in _items(holder, "triggers")),
        enclosing=scope.enclosing,
        trial=scope.trial,
    )
    conditions = StepConditions(steps, references.roots, scope.trial)
    references.distinguish(conditions.distinguishing)
    for at, step in enumerate(steps):
        if isinstance(step, Mapping):
            own = references.of_step(step)
            place = own.check_step(at, step)
            _check_roles(step, problems)
            check_routes(step, problems)
            check_open_routes(at, step, conditions, graph, references.known, problems)
            if is_call(step):
                check_sub_process(step, problems)
                given = check_call(own, step, place)
                if has_body(step) and scope.depth < MAX_NESTING:
                    check_body_input(step, problems)
                    inputs = inputs_of_body(step, given)
                    around = enclosing_of(step, own, inputs)
                    inner = replace(scope, enclosing=around, inputs=inputs, depth=scope.depth + 1)
                    _check_steps(step, inner, problems)
            for part in (step, compensation_of(step)):
                if part is not None:
                    _check_output_schema(part, problems)
                    check_timing(part, scope.default_timeout, problems)
                    check_notification(part, problems)
    if scope.enclosing is None:
        check_slots(holder, references, problems)
    for output in _items(holder, "outputs"):
        if isinstance(output, Mapping) and (source := output.entries.get("source")) is not None:
            references.check_templates(source, Place(), "outputs")
    _check_unique(holder, "outputs", "name", problems)
    declared = holder.entries.get("input")
    for each in declared.entries.values() if isinstance(declared, Mapping) else ():
        _check_default(each, problems)
    check_unused(holder, problems)


def _items(root: Mapping, key: str) -> list[Node]:
    node = root.entries.get(key)
    return node.items if isinstance(node, Sequence) else []


def _check_unique(root: Mapping, key: str, field: str, problems: Problems) -> None:
    seen: set[str] = set()
    for item in _items(root, key):
        node = item.entries.get(field) if isinstance(item, Mapping) else None
        name = text_of(node)
        if node is not None and name is not None:
            if name in seen:
                problems.add(f"duplicate_{key[:-1]}", f"there is another one of {key} called `{name[:60]}`", node)
            seen.add(name)


def _check_roles(step: Mapping, problems: Problems) -> None:
    """Note each agent that has two roles in a step, or in the defaults."""
    roles = step.entries.get("roles")
    executor = roles.entries.get("executor") if isinstance(roles, Mapping) else None
    seen = {text_of(step.entries.get("agent")), text_of(executor)} - {None}
    for role in ("monitors", "informed"):
        node = roles.entries.get(role) if isinstance(roles, Mapping) else None
        for item in node.items if isinstance(node, Sequence) else ():
            name = text_of(item)
            if name is not None and name in seen:
                message = f"`{name[:60]}` has a role in this step already"
                problems.add("duplicate_role", message, item, hint="an agent has one role in a step")
            seen.add(name)


def _check_output_schema(step: Mapping, problems: Problems) -> None:
    node = step.entries.get("output_schema")
    if isinstance(node, Mapping):
        try:
            compile_output_schema(plain(node))
        except InvalidOutputSchema as error:
            problems.add("invalid_output_schema", f"not a JSON Schema that can be used: {error}", node)
        check_sensitive(node, problems)


def _check_default(field: Node, problems: Problems) -> None:
    """Note a default or an enum entry of an input field that is not of its type, and a default outside the enum."""
    if not isinstance(field, Mapping):
        return
    kind = text_of(field.entries.get("type"))
    allowed = field.entries.get("enum")
    default = field.entries.get("default")
    for node in allowed.items if isinstance(allowed, Sequence) else ():
        _check_type(node, kind, "a value of `enum`", problems)
    if default is None or (isinstance(default, Scalar) and default.value is None):
        return
    _check_fixed(default, "a default", problems)
    if _check_type(default, kind, "`default`", problems) and isinstance(allowed, Sequence):
        value = plain(default)
        if not any(same(value, plain(item)) for item in allowed.items):
            problems.add("not_in_enum", "`default` is none of the values in `enum`", default)


def _check_fixed(value: Node, what: str, problems: Problems) -> None:
    """Note expressions in a value that is never rendered."""
    for scalar in scalars(value):
        for wrong in fixed_faults(scalar.value, what) if isinstance(scalar.value, str) else ():
            problems.add(wrong.code, wrong.message, scalar, hint=wrong.hint, severity=wrong.severity)


def _check_type(node: Node, kind: str | None, what: str, problems: Problems) -> bool:
    value = plain(node)
    if kind not in KINDS or is_of_type(value, kind):
        return True
    article = "an" if kind[0] in "aio" else "a"
    problems.add("wrong_type", f"{what} must be {article} {kind}, and is {kind_of(value)}", node)
    return False


def _check_fixed_input(trigger: Node, inputs: dict[str, Node] | None, problems: Problems) -> None:
    """Note each field of a trigger's fixed input that is not declared, or not of the declared type."""
    fixed = trigger.entries.get("input") if isinstance(trigger, Mapping) else None
    if fixed is not None:
        _check_fixed(fixed, "the input of a trigger", problems)
    if inputs is None or not isinstance(fixed, Mapping):
        return
    for name, node in fixed.entries.items():
        if name not in inputs:
            hint = "" if problems.full() else did_you_mean(name, inputs)
            problems.add("unknown_input", f"no input `{name[:60]}` is declared", fixed.keys[name], hint=hint)
            continue
        field = inputs[name]
        kind = text_of(field.entries.get("type")) if isinstance(field, Mapping) else None
        _check_type(node, kind, f"the input `{name}`", problems)
