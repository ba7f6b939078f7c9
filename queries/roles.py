"""The roles in a process: its steps by its agents, in the draft or in the published version."""

from typing import Literal
from uuid import UUID

import msgspec

from domain.refusal import NotFound, Problem, ProcessNotFound
from queries.agents import DIRECTORY
from queries.processes import CATALOGUE
from queries.reading import Reading, fetch

INTERVALS = "roles"
RolesOfText = Literal["draft", "published"]
TEXTS: tuple[RolesOfText, ...] = ("draft", "published")

_TEXTS = """select p.name, p.revision, p.latest_version as version, p.draft_source as draft, v.source as published
from process_catalogue p
left join process_versions v on v.process_id = p.process_id and v.version = p.latest_version
where p.process_id = %s"""
NOW = """select step, agent, role from role_intervals
where process_id = %s and until_position is null order by from_position"""
_REVISION = "select coalesce(max(version), 0) as revision from role_intervals where process_id = %s"
_AGENTS = "select name, kind, status from agent_directory where name = any(%s)"


class RoleRow(msgspec.Struct, frozen=True):
    """A step. may: the roles that agents may have in it. executor_required: it cannot be published without one."""

    step: str
    name: str
    type: str
    may: list[str]
    executor_required: bool


class RoleAgent(msgspec.Struct, frozen=True):
    """An agent that has a role. status: ``active``, ``retired``, ``unknown``, or ``team`` for a team of people.

    executes, monitors, informed: the number of steps in which it has the role.
    """

    name: str
    kind: str | None
    status: str
    executes: int
    monitors: int
    informed: int


class RoleMatrix(msgspec.Struct, frozen=True):
    """The roles of agents in steps. of: ``draft`` or ``published``; version: the published one.

    revision: of the draft, or of the published roles, for the If-Match of a change. cells: by step and agent, the
    role. own: by step, the agents whose role the step states itself; the others have theirs from the defaults.
    problems: steps without the executor that they need, agents unknown or retired.
    texts: those of the process that there are.
    """

    process_id: UUID
    process: str
    of: RolesOfText
    version: int | None
    revision: int
    steps: list[RoleRow]
    agents: list[RoleAgent]
    cells: dict[str, dict[str, str]]
    own: dict[str, list[str]]
    problems: list[Problem]
    texts: list[RolesOfText]
    as_of_position: int
    lag_seconds: float


def get_roles(
    reading: Reading, process_id: UUID, of: RolesOfText | None = None, *, min_position: int | None = None
) -> RoleMatrix:
    """Return the effective roles. of: default: the draft if there is one. Raises NotFound or NotYet."""
    # Imported here: few queries need the language.
    from domain.language import agent_problems
    from domain.roles.effective import effective_roles
    from domain.roles.published import in_effect, unregistered
    from queries.parsed_texts import parsed_text

    if min_position is not None:
        with reading.of(INTERVALS, min_position):
            pass
    with reading.of(CATALOGUE, min_position, beside=(DIRECTORY, INTERVALS)) as (connection, freshness):
        rows = fetch(connection, _TEXTS, (process_id,))
        if not rows:
            raise ProcessNotFound("there is no such process")
        row = rows[0]
        shown: RolesOfText = of or ("draft" if row["draft"] is not None else "published")
        if row[shown] is None:
            raise NotFound(f"{row['name']} has no {'draft' if shown == 'draft' else 'published version'}")
        parsed = parsed_text(row[shown])
        roles, revision = effective_roles(parsed.root), row["revision"]
        if shown == "published":
            revision = fetch(connection, _REVISION, (process_id,))[0]["revision"]
            if revision:
                now = {(each["step"], each["agent"]): each["role"] for each in fetch(connection, NOW, (process_id,))}
                roles = in_effect(roles, now)
        named = sorted({cell.agent for cell in roles.cells})
        known = {each["name"]: each for each in fetch(connection, _AGENTS, (named,))}
    statuses = {name: each["status"] for name, each in known.items()}
    cells: dict[str, dict[str, str]] = {step.step: {} for step in roles.steps}
    own: dict[str, list[str]] = {step.step: [] for step in roles.steps}
    for cell in roles.cells:
        cells[cell.step][cell.agent] = cell.role
        if cell.own:
            own[cell.step].append(cell.agent)
    return RoleMatrix(
        process_id=process_id,
        process=row["name"],
        of=shown,
        version=row["version"] if shown == "published" else None,
        revision=revision,
        steps=[RoleRow(s.step, s.name, s.type, list(s.may), s.executor_required) for s in roles.steps],
        agents=[_agent(name, known.get(name), cells) for name in named],
        cells=cells,
        own=own,
        problems=[
            *_of_roles(parsed.problems),
            *agent_problems(parsed, statuses, "warning"),
            *unregistered(roles, {use.name for use in parsed.agents}, statuses),
        ],
        texts=[of for of in TEXTS if row[of] is not None],
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _of_roles(problems: list[Problem]) -> list[Problem]:
    """Return the problems of roles, and those of executors."""
    return [each for each in problems if ".roles" in each.path or each.path.endswith(".agent")]


def _agent(name: str, row: dict[str, str] | None, cells: dict[str, dict[str, str]]) -> RoleAgent:
    roles = [of[name] for of in cells.values() if name in of]
    counts = (roles.count("executor"), roles.count("monitor"), roles.count("informed"))
    if row is not None:
        return RoleAgent(name, row["kind"], row["status"], *counts)
    return RoleAgent(name, None, "team" if name.startswith("team:") else "unknown", *counts)
