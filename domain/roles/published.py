"""The roles on a published version: those of its text, with the changes since. Pure."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from domain.event import Event
from domain.language import parse_definition
from domain.refusal import Problem
from domain.roles.changes import TEAM, RoleAssignment, RoleChanges, RoleRemoval, change_problems
from domain.roles.decisions import PUBLISHED, AgentRoles
from domain.roles.effective import EXECUTOR, EffectiveRoles, RoleCell, effective_roles
from domain.roles.roles import fold, published_revision
from domain.roles.writing import write_roles


def roles_now(source: str, recorded: Sequence[Event]) -> EffectiveRoles:
    """Return the roles in effect on a version. recorded: the events of roles; without any, the roles are the text's."""
    stated = effective_roles(parse_definition(source).root)
    return in_effect(stated, fold(recorded, PUBLISHED)) if published_revision(recorded) else stated


def in_effect(stated: EffectiveRoles, roles: AgentRoles) -> EffectiveRoles:
    """Return the steps of a text with `roles` in them; a role that the text does not state is a step's own."""
    kept = [cell for cell in stated.cells if roles.get((cell.step, cell.agent)) == cell.role]
    named = {(cell.step, cell.agent) for cell in kept}
    given = [RoleCell(step, agent, role) for (step, agent), role in roles.items() if (step, agent) not in named]
    at = {step.step: place for place, step in enumerate(stated.steps)}
    cells = sorted((cell for cell in (*kept, *given) if cell.step in at), key=lambda cell: at[cell.step])
    return msgspec.structs.replace(stated, cells=tuple(cells))


def unregistered(now: EffectiveRoles, stated: Collection[str], known: Mapping[str, str]) -> list[Problem]:
    """Return a warning for each agent that a change gave a role, and that is not registered, or retired.

    stated: the agents in the text, of which the checks of the text warn. known: the status of each agent by name.
    """
    places = {step.step: step.place for step in now.steps}
    problems = []
    for cell in now.cells:
        if cell.agent in stated or cell.agent.startswith(TEAM) or known.get(cell.agent, "retired") != "retired":
            continue
        retired = cell.agent in known
        message = f"the agent `{cell.agent}` is retired" if retired else f"there is no agent `{cell.agent}`"
        code = "retired_agent" if retired else "unknown_agent"
        problems.append(Problem(code, message, f"{places[cell.step]}.roles", severity="warning"))
    return problems


def begun_draft(source: str, roles: AgentRoles | None) -> str:
    """Return the text with which a draft of a version begins: `roles` are written into it. Raises EditRefused."""
    parsed = parse_definition(source)
    if roles is None or parsed.root is None:
        return source
    stated = effective_roles(parsed.root)
    return write_roles(source, parsed.root, stated, in_effect(stated, roles).roles)


def frozen_executors(now: EffectiveRoles, changes: RoleChanges) -> list[Problem]:
    """Return a problem for each change of an executor, at its place in the change set."""
    message = "the executor is frozen with the version"
    executors = {(cell.step, cell.agent) for cell in now.cells if cell.role == EXECUTOR}
    problems = []
    for at, each in enumerate(changes.assign):
        if each.role == EXECUTOR or (each.step, each.agent) in executors:
            problems.append(Problem("executor_frozen", message, f"assign[{at}].role"))
    for at, removed in enumerate(changes.revoke):
        if (removed.step, removed.agent) in executors:
            problems.append(Problem("executor_frozen", message, f"revoke[{at}]"))
    return problems


def changes_for_draft(draft: EffectiveRoles, changes: RoleChanges) -> RoleChanges:
    """Return those changes of a published version that its draft can take: it may have other steps and executors."""
    executors = {(cell.step, cell.agent) for cell in draft.cells if cell.role == EXECUTOR}

    def fits(change: RoleAssignment | RoleRemoval, alone: RoleChanges) -> bool:
        return (change.step, change.agent) not in executors and not change_problems(draft, alone)

    assign = [each for each in changes.assign if fits(each, RoleChanges([each]))]
    revoke = [each for each in changes.revoke if fits(each, RoleChanges((), [each]))]
    return RoleChanges(assign, revoke)
