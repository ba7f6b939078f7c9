"""The scopes of a key by name, and the spelling of names, teams and processes beside them."""

import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from domain.identity import AGENT_NAME, PROCESS_NAME
from domain.refusal import Problem
from domain.words import nearest

AGENT_PREFIX = "agent:"
MAX_SCOPES = 50
MAX_TEAMS = 100
MAX_PROCESSES = 200

PRINCIPAL_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_TEAM_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_PROCESS = re.compile(PROCESS_NAME.removeprefix("^").removesuffix("$"))
_PROCESS_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\*")


class KeyScope(StrEnum):
    """The permissions of a key by name; ``agent:NAME`` is a scope too. `docs/security.md` holds the table."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    DESIGNER = "designer"
    APPROVER = "approver"
    ADMIN = "admin"
    ACT_AS = "act_as"


def agent_of(scope: str) -> str | None:
    """Return the agent of a scope ``agent:NAME``; None for another scope."""
    name = scope.removeprefix(AGENT_PREFIX)
    return name if name != scope and AGENT_NAME.fullmatch(name) else None


def problems_of(name: str, scopes: Sequence[str], teams: Sequence[str], processes: Sequence[str]) -> list[Problem]:
    """Return everything wrong with the description of a new key."""
    problems = []
    if not PRINCIPAL_NAME.fullmatch(name):
        problems.append(Problem("invalid_name", "a name has 1 to 64 of A-Z a-z 0-9 . _ @ -", "name"))
    if not scopes:
        problems.append(Problem("scopes_missing", "a key has at least one scope", "scopes", hint=_known_scopes()))
    problems += _each("scopes", scopes, MAX_SCOPES, _scope_problem)
    problems += _each("teams", teams, MAX_TEAMS, _team_problem)
    problems += _each("processes", processes, MAX_PROCESSES, _process_problem)
    if processes and KeyScope.ADMIN in scopes:
        message = "a key with the scope admin is not limited to processes"
        problems.append(Problem("processes_with_admin", message, "processes"))
    return problems


def matches(patterns: Iterable[str], process: str) -> bool:
    """Return whether one of `patterns`, names or prefixes as ``claims-*``, matches the name of a process."""
    return any(process.startswith(each[:-1]) if each.endswith("*") else process == each for each in patterns)


def _each(
    field: str, values: Sequence[str], most: int, problem_of: Callable[[str, str], Problem | None]
) -> list[Problem]:
    if len(values) > most:
        return [Problem("too_many", f"{field} has at most {most} entries", field)]
    found = [problem_of(value, f"{field}[{index}]") for index, value in enumerate(values)]
    return [problem for problem in found if problem is not None]


def _scope_problem(scope: str, path: str) -> Problem | None:
    if scope in list(KeyScope) or agent_of(scope) is not None:
        return None
    close = nearest(scope, KeyScope)
    hint = f"did you mean {close}?" if close else _known_scopes()
    return Problem("unknown_scope", f"there is no scope {scope[:80]!r}", path, hint=hint)


def _team_problem(team: str, path: str) -> Problem | None:
    if _TEAM_NAME.fullmatch(team):
        return None
    return Problem("invalid_team", "the name of a team has 1 to 64 of A-Z a-z 0-9 . _ @ -", path)


def _process_problem(pattern: str, path: str) -> Problem | None:
    if _PROCESS.fullmatch(pattern) or _PROCESS_PATTERN.fullmatch(pattern):
        return None
    return Problem("invalid_process", "names a process, or begins its name and ends with *: claims-*", path)


def _known_scopes() -> str:
    return f"known: {', '.join(KeyScope)}, {AGENT_PREFIX}NAME"
