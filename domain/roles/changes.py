"""A change set of roles: its problems, and the roles after it. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from domain.identity import AGENT_NAME
from domain.refusal import Problem
from domain.roles.decisions import AgentRoles
from domain.roles.effective import EXECUTOR, MONITOR, ROLES, EffectiveRoles, RoleStep
from domain.words import did_you_mean

TEAM = "team:"
MOST_CHANGES = 20_000
LONGEST_TEAM = 200


class RoleAssignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent gets a role in a step, in place of the one that it has there. A new executor takes the present one's."""

    step: str
    agent: str
    role: str


class RoleRemoval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent loses its role in a step."""

    step: str
    agent: str


class RoleChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes that are made together or not at all."""

    assign: Sequence[RoleAssignment] = ()
    revoke: Sequence[RoleRemoval] = ()


def change_problems(roles: EffectiveRoles, changes: RoleChanges) -> list[Problem]:
    """Return every problem of a change set, at its place in it."""
    steps = {step.step: step for step in roles.steps}
    problems: list[Problem] = []
    said: dict[tuple[str, str], str] = {}
    executors: dict[str, str] = {}
    located: list[tuple[str, RoleAssignment | RoleRemoval]] = [
        *((f"assign[{at}]", given) for at, given in enumerate(changes.assign)),
        *((f"revoke[{at}]", removed) for at, removed in enumerate(changes.revoke)),
    ]
    for place, each in located:
        step = steps.get(each.step)
        if step is None:
            hint = did_you_mean(each.step, steps)
            message = f"there is no step `{each.step[:60]}` that roles can be given in"
            problems.append(Problem("unknown_step", message, f"{place}.step", hint=hint))
        elif isinstance(each, RoleAssignment):
            problems += _of_assignment(each, step, place)
        first = said.setdefault((each.step, each.agent), place)
        if first != place:
            message = f"`{first}` changes the role of `{each.agent[:60]}` in this step already"
            problems.append(Problem("said_twice", message, place))
        if isinstance(each, RoleAssignment) and each.role == EXECUTOR:
            first = executors.setdefault(each.step, place)
            if first != place:
                message = f"`{first}` sets the executor of this step already; a step has one"
                problems.append(Problem("two_executors", message, f"{place}.role"))
    return problems


def _of_assignment(given: RoleAssignment, step: RoleStep, place: str) -> Iterator[Problem]:
    team = given.agent.startswith(TEAM)
    name = given.agent.removeprefix(TEAM)
    of_team = bool(name.strip()) and name.isprintable() and len(given.agent) <= LONGEST_TEAM
    if not (of_team if team else AGENT_NAME.fullmatch(name)):
        message = "an agent's name has at most 64 of a-z 0-9 . _ - and begins with one of a-z 0-9"
        yield Problem("invalid_name", message, f"{place}.agent")
    if given.role not in ROLES:
        hint = did_you_mean(given.role, ROLES) or f"known roles: {', '.join(ROLES)}"
        yield Problem("unknown_role", f"there is no role `{given.role[:60]}`", f"{place}.role", hint=hint)
    elif given.role not in step.may:
        message = f"a step of the type `{step.type}` takes no {given.role}"
        hint = f"it takes: {', '.join(step.may)}" if step.may else "it has no roles"
        yield Problem("role_not_taken", message, f"{place}.role", hint=hint)
    elif team and given.role != MONITOR:
        message = f"a team monitors steps; it cannot be {'the executor' if given.role == EXECUTOR else given.role}"
        yield Problem("team_not_taken", message, f"{place}.agent")


def changed_roles(before: AgentRoles, changes: RoleChanges) -> dict[tuple[str, str], str]:
    """Return the roles after a change set without problems."""
    after = dict(before)
    for each in changes.revoke:
        after.pop((each.step, each.agent), None)
    moved = {each.step for each in changes.assign if each.role == EXECUTOR}
    if moved:
        after = {at: role for at, role in after.items() if role != EXECUTOR or at[0] not in moved}
    for given in changes.assign:
        after[given.step, given.agent] = given.role
    return after
