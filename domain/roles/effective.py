"""The effective roles of a definition: of each step its own, and those of the defaults where it states none. Pure."""

from collections.abc import Iterator

import msgspec

from domain.language.reading.nodes import Mapping as MappingNode
from domain.language.reading.nodes import Node, Sequence, text_of
from domain.language.spelling.bodies import has_body, steps_of
from domain.language.types.steps import STEP_TYPES, Gateway

EXECUTOR, MONITOR, INFORMED = "executor", "monitor", "informed"
ROLES = (EXECUTOR, MONITOR, INFORMED)
_LISTS = {MONITOR: "monitors", INFORMED: "informed"}


class RoleStep(msgspec.Struct, frozen=True):
    """A step and the roles that agents may have in it. executor_required: it cannot be published without one.

    place: its path in the text. step: a step inside another one has the ids of both, `outer/inner`.
    """

    step: str
    name: str
    type: str
    may: tuple[str, ...]
    executor_required: bool
    place: str = ""


class RoleCell(msgspec.Struct, frozen=True, order=True):
    """The role of an agent in a step. own: the step states it; otherwise the defaults do."""

    step: str
    agent: str
    role: str
    own: bool = True


class EffectiveRoles(msgspec.Struct, frozen=True):
    """The steps of a definition in their order, and the roles that agents have in them."""

    steps: tuple[RoleStep, ...] = ()
    cells: tuple[RoleCell, ...] = ()

    @property
    def roles(self) -> dict[tuple[str, str], str]:
        """The role of each agent that has one, by step and agent."""
        return {(cell.step, cell.agent): cell.role for cell in self.cells}

    @property
    def without_executor(self) -> list[RoleStep]:
        """The steps that need an executor and have none."""
        with_one = {cell.step for cell in self.cells if cell.role == EXECUTOR}
        return [step for step in self.steps if step.executor_required and step.step not in with_one]


def effective_roles(root: MappingNode | None) -> EffectiveRoles:
    """Return the effective roles in a canonical tree, whatever errors it has. A step without type or id has none.

    An agent has one role in a step: the first of executor, monitor and informed, and its own before one by default.
    """
    if root is None:
        return EffectiveRoles()
    steps: dict[str, RoleStep] = {}
    cells: list[RoleCell] = []
    defaults = root.entries.get("defaults")
    for id, step in placed_steps(root):
        found = _step(id, step)
        if found is not None and found.step not in steps:
            steps[found.step] = found
            cells += _cells(found, step, defaults)
    return EffectiveRoles(tuple(steps.values()), tuple(cells))


def placed_steps(holder: MappingNode, around: str = "") -> Iterator[tuple[str, MappingNode]]:
    """Yield each step that has an id, with the ids of those around it, before the steps of its body."""
    for step in steps_of(holder):
        id = text_of(step.entries.get("id"))
        if id is not None:
            yield around + id, step
            if has_body(step):
                yield from placed_steps(step, f"{around}{id}/")


def _step(id: str, node: MappingNode) -> RoleStep | None:
    kind = text_of(node.entries.get("type"))
    if kind not in STEP_TYPES:
        return None
    part = STEP_TYPES[kind]
    does_work = "agent" in part.agent_fields
    may = () if part is Gateway else ROLES if does_work else (MONITOR, INFORMED)
    return RoleStep(id, text_of(node.entries.get("name")) or id, kind, may, does_work, node.path)


def _cells(step: RoleStep, node: MappingNode, defaults: Node | None) -> Iterator[RoleCell]:
    given, own = stated_lists(defaults), stated_lists(node)
    taken: set[str] = set()
    executor = text_of(node.entries.get("agent")) if step.executor_required else None
    if executor:
        taken.add(executor)
        # The spelling of a definition shares the node of the default executor with the steps that take it.
        yield RoleCell(step.step, executor, EXECUTOR, node.entries["agent"].parent in (node, _roles(node)))
    stated = [(role, own[role], True) for role in step.may if role in own]
    by_default = [(role, given[role], False) for role in step.may if role in given and role not in own]
    for role, agents, is_own in (*stated, *by_default):
        for agent in agents:
            if agent not in taken:
                taken.add(agent)
                yield RoleCell(step.step, agent, role, is_own)


def _roles(node: Node | None) -> Node | None:
    return node.entries.get("roles") if isinstance(node, MappingNode) else None


def stated_lists(node: Node | None) -> dict[str, list[str]]:
    """Return the monitors and the informed that a step, or the defaults, state; an empty list states none."""
    roles = _roles(node)
    if not isinstance(roles, MappingNode):
        return {}
    found = {role: roles.entries.get(key) for role, key in _LISTS.items()}
    return {role: list(_names(each)) for role, each in found.items() if each is not None}


def _names(node: Node) -> Iterator[str]:
    for item in node.items if isinstance(node, Sequence) else (node,):
        name = text_of(item)
        if name:
            yield name
