"""The lists of roles that a step states, and the least that it has to state for roles to be in effect. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from domain.roles.effective import EXECUTOR, INFORMED, MONITOR

LISTS = (MONITOR, INFORMED)
Stated = Mapping[str, Sequence[str]]
"""The agents of each list that is stated, by role."""


class RolesInStep(msgspec.Struct, frozen=True):
    """The roles in effect in a step. executor: None without one."""

    executor: str | None
    lists: Stated

    @classmethod
    def of(cls, roles: Mapping[str, str], before: Mapping[str, str]) -> "RolesInStep":
        """Return the roles of agents in a step: those who had theirs before come first."""
        executor = next((agent for agent, role in roles.items() if role == EXECUTOR), None)
        kept = [*(agent for agent in before if before[agent] == roles.get(agent)), *roles]
        in_order = list(dict.fromkeys(kept))
        return cls(executor, {role: [agent for agent in in_order if roles[agent] == role] for role in LISTS})


def stated_for(needed: RolesInStep, stated: Stated, by_default: Stated) -> dict[str, Sequence[str]]:
    """Return the lists that a step has to state, at least those that it states already."""
    result: dict[str, Sequence[str]] = {role: needed.lists[role] for role in LISTS if role in stated}
    for _ in LISTS:
        found = _in_effect(needed.executor, result, by_default)
        differs = next((role for role in LISTS if set(found[role]) != set(needed.lists[role])), None)
        if differs is None:
            break
        result[differs] = needed.lists[differs]
    return result


def _in_effect(executor: str | None, stated: Stated, by_default: Stated) -> dict[str, list[str]]:
    taken = {executor}
    found: dict[str, list[str]] = {role: [] for role in LISTS}
    for of, roles in ((stated, stated), (by_default, [role for role in LISTS if role not in stated])):
        for role in LISTS:
            for agent in of.get(role, ()) if role in roles else ():
                if agent not in taken:
                    taken.add(agent)
                    found[role].append(agent)
    return found
