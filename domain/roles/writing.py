"""Roles written into the text of a definition, of which everything else stays."""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import zip_longest

import msgspec

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import (
    AppendItems,
    EditRefused,
    InsertKey,
    KeyPath,
    RemoveItem,
    RemoveKey,
    ReplaceValue,
    TextChange,
)
from domain.language.editing.edits import document_of, edited_together
from domain.language.reading.nodes import Mapping, Node, text_of
from domain.language.spelling.steps import default_executor
from domain.roles.decisions import AgentRoles
from domain.roles.effective import INFORMED, MONITOR, EffectiveRoles, placed_steps, stated_lists
from domain.roles.statements import LISTS, RolesInStep, stated_for

KEYS = {MONITOR: "monitors", INFORMED: "informed"}
Written = dict[str, JsonValue]
Round = list[TextChange]


class StepEdit(msgspec.Struct, frozen=True):
    """The ways to write the roles of one step, the one that changes the least first.

    Each is a list of rounds; the changes of a round are made at once.
    """

    step: str
    ways: list[list[Round]]


def write_roles(source: str, root: Mapping, before: EffectiveRoles, after: AgentRoles) -> str:
    """Return the text in which the roles `after` are in effect. root: of `source`, whose roles are `before`.

    Raises EditRefused, with the step in its message, where a step shares its place with others.
    """
    edits = list(_step_edits(source, root, before, after))
    return _edited(source, edits) if edits else source


def _edited(source: str, edits: Sequence[StepEdit]) -> str:
    """Make the changes of all steps at once; half of the steps before the others where a step needs another way."""
    if len(edits) == 1:
        refused: EditRefused | None = None
        for way in edits[0].ways:
            try:
                return reduce(edited_together, way, source)
            except EditRefused as error:
                refused = error
        message = refused.message if refused is not None else "its roles have no place"
        raise EditRefused(f"the roles of the step `{edits[0].step[:60]}` cannot be written: {message}")
    try:
        after = source
        for at_once in zip_longest(*(edit.ways[0] for edit in edits)):
            after = edited_together(after, [change for changes in at_once for change in changes or ()])
        return after
    except EditRefused:
        half = len(edits) // 2
        return _edited(_edited(source, edits[:half]), edits[half:])


def _step_edits(source: str, root: Mapping, before: EffectiveRoles, after: AgentRoles) -> Iterator[StepEdit]:
    document = document_of(source)
    had, has = _by_step(before.roles), _by_step(after)
    nodes = dict(reversed([*placed_steps(root)]))
    for step in before.steps:
        was, becomes = had.get(step.step, {}), has.get(step.step, {})
        node = nodes.get(step.step)
        if was != becomes and node is not None:
            ways = _ways(document, root, node, RolesInStep.of(was, was), RolesInStep.of(becomes, was))
            yield StepEdit(step.step, ways)


def _by_step(roles: AgentRoles) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for (step, agent), role in roles.items():
        found.setdefault(step, {})[agent] = role
    return found


def _ways(
    document: JsonValue, root: Mapping, node: Mapping, was: RolesInStep, becomes: RolesInStep
) -> list[list[Round]]:
    at = _path(node)
    written = _value(document, at)
    given = text_of(default_executor(root))
    moved = becomes.executor != was.executor
    executor: list[Round] = [[each] for each in _executor(at, written, becomes.executor, given)] if moved else []
    by_default = stated_lists(root.entries.get("defaults"))
    stated = stated_lists(node)
    lists = stated_for(becomes, stated, by_default)
    changed = {role: list(lists[role]) for role in lists if role not in stated or stated[role] != lists[role]}
    if not changed:
        return [executor]
    roles = written.get("roles")
    fine = list(_lists(at, written, changed, by_default))
    if not isinstance(roles, dict):
        return [[*executor, *fine]]
    plain: Written = {**roles, **{KEYS[role]: [*changed[role]] for role in changed}}
    if moved and "executor" in plain:
        plain["executor"] = becomes.executor or ""
    by_key: list[Round] = [[_keyed(at, roles, role, changed[role])] for role in changed]
    whole: Round = [ReplaceValue((*at, "roles"), plain)]
    own = [each for each in executor if "roles" not in each[0].path[len(at) :]]
    return [[*executor, *fine], [*executor, *by_key], [*own, whole]]


def _executor(at: KeyPath, written: Written, executor: str | None, by_default: str | None) -> Iterator[TextChange]:
    """Yield the changes that name the executor. An empty name is none, also where the defaults have one."""
    roles = written.get("roles")
    places: list[KeyPath] = [(*at, "agent")] if "agent" in written else []
    if isinstance(roles, dict) and "executor" in roles:
        places.append((*at, "roles", "executor"))
    for place in places:
        yield ReplaceValue(place, executor or "")
    if not places and executor != by_default:
        yield InsertKey(at, "agent", executor or "")


def _lists(
    at: KeyPath, written: Written, changed: dict[str, list[str]], by_default: dict[str, list[str]]
) -> Iterator[Round]:
    """Yield the changes of lists, item by item where a list stands there."""
    roles = written.get("roles")
    if not isinstance(roles, dict):
        value: Written = {KEYS[role]: [*agents] for role, agents in changed.items()}
        yield [ReplaceValue((*at, "roles"), value) if "roles" in written else InsertKey(at, "roles", value)]
        return
    gone = {role for role in LISTS if role in changed and not changed[role] and not by_default.get(role)}
    if gone == set(changed) and set(roles) == {KEYS[role] for role in gone}:
        yield [RemoveKey((*at, "roles"))]
        return
    for role, agents in sorted(changed.items(), key=lambda each: each[0] in gone):
        path, now = (*at, "roles", KEYS[role]), roles.get(KEYS[role])
        if role in gone and KEYS[role] in roles:
            yield [RemoveKey(path)]
        elif isinstance(now, list) and now and agents:
            if new := [agent for agent in agents if agent not in now]:
                yield [AppendItems(path, tuple(new))]
            names = [(number, item) for number, item in enumerate(now) if isinstance(item, str)]
            dropped = [number for number, item in names if item not in agents or item in now[:number]]
            if dropped:
                yield [RemoveItem((*path, number)) for number in reversed(dropped)]
        elif isinstance(now, str) and len(agents) == 1:
            yield [ReplaceValue(path, agents[0])]
        else:
            yield [_keyed(at, roles, role, agents)]


def _keyed(at: KeyPath, roles: Written, role: str, agents: Sequence[str]) -> TextChange:
    if KEYS[role] in roles:
        return ReplaceValue((*at, "roles", KEYS[role]), [*agents])
    return InsertKey((*at, "roles"), KEYS[role], [*agents])


def _path(node: Node) -> KeyPath:
    """Return the keys that lead to a node, as the text spells them."""
    parts: list[str | int] = []
    up: Node | None = node
    while up is not None:
        if up.key is not None:
            parts.append(up.key)
        up = up.parent
    return tuple(reversed(parts))


def _value(document: JsonValue, path: KeyPath) -> Written:
    at = document
    for part in path:
        at = at[part]  # type: ignore[index]
    if not isinstance(at, dict):
        raise EditRefused("a step is an object")
    return at
