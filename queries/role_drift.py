"""Role drift: the executors that versions assign, and the agents that have answered for the steps in fact."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.identity import agent_id
from domain.refusal import AgentNotFound, ProcessNotFound
from queries.agents import DIRECTORY
from queries.analytics.rollups import ANALYTICS
from queries.filters import Where
from queries.inbox.notified import StepNotified, fetch_notified
from queries.inbox.views import INBOX
from queries.process_references import REFERENCES
from queries.processes import CATALOGUE
from queries.reading import Reading, fetch
from queries.step_answers import DAYS, MOST, StepAnswers, fetch_step_answers

MOST_VERSIONS = 20
MOST_NOTIFIED = 50

_PROCESS = "select name, latest_version from process_catalogue where process_id = %s"
_ASSIGNED = """select version, step, name from process_references
where process_id = %s and version = any(%s) and kind = 'agent' and role = 'executor'"""
_AGENT = "select 1 as found from agent_directory where agent_id = %s"
_OF_AGENT = """
select p.name as process, p.process_id, f.version, f.step, f.completed, f.failed, f.last_at, (
  select r.name from process_references r where r.process_id = f.process_id and r.version = f.version
    and r.kind = 'agent' and r.role = 'executor' and r.step = f.step limit 1) as assigned
from (
  select r.process_id, r.version, r.step, coalesce(sum(r.n) filter (where r.code = ''), 0)::bigint as completed,
    coalesce(sum(r.n) filter (where r.code <> ''), 0)::bigint as failed, max(r.last_at) as last_at
  from analytics_answers r
  where r.agent = %(agent)s and r.grain = 1440
    and r.begins > date_trunc('day', now(), 'UTC') - make_interval(hours => 24 * (%(days)s + 1)) and {where}
  group by r.process_id, r.version, r.step order by max(r.last_at) desc limit %(rows)s) f
join process_catalogue p on p.process_id = f.process_id
order by p.name, f.version desc, f.step"""


class DriftAnswers(msgspec.Struct, frozen=True):
    """The attempts of an agent for a step in a version that ended. last_at: of the latest.

    assigned: the executor of the step in that version; null: it has none, or more than 20 versions have followed.
    drifts: another agent is assigned.
    """

    version: int
    agent: str
    assigned: str | None
    drifts: bool
    completed: int
    failed: int
    last_at: datetime


class StepDrift(msgspec.Struct, frozen=True):
    """A step. executor: in the latest version; null: the step is gone. answers: none: nobody has answered for it."""

    step: str
    executor: str | None
    drifts: bool
    answers: list[DriftAnswers]


class ProcessDrift(msgspec.Struct, frozen=True):
    """The drift of a process over `days` complete days and today, in UTC. version: the latest one; 0: none.

    steps: those that drift first, then by name. drifting: how many of them do.
    """

    process_id: UUID
    process: str
    version: int
    days: int
    drifting: int
    steps: list[StepDrift]
    as_of_position: int
    lag_seconds: float


class AgentDriftAnswers(DriftAnswers, frozen=True, kw_only=True):
    """The same for an agent, with the process and the step.

    notified: who was notified of the newest outcome of the step, in any version; null: it concerned nobody, or the
    agent has answered for fifty steps since.
    """

    process: str
    step: str
    notified: StepNotified | None = None


class AgentDrift(msgspec.Struct, frozen=True):
    """The steps for which an agent has answered, over `days` complete days and today, in UTC, by process and step.

    drifting: in how many of them another agent is assigned.
    """

    agent: str
    days: int
    drifting: int
    answers: list[AgentDriftAnswers]
    as_of_position: int
    lag_seconds: float


def get_process_drift(reading: Reading, process_id: UUID, *, min_position: int | None = None) -> ProcessDrift:
    """Return who is assigned and who has answered, by step. Raises NotFound, NotYet or ReadModelRebuilding."""
    with reading.of(ANALYTICS, min_position, beside=(REFERENCES, CATALOGUE)) as (connection, freshness):
        found = fetch(connection, _PROCESS, (process_id,))
        if not found:
            raise ProcessNotFound("there is no such process")
        answers = fetch_step_answers(connection, process_id)
        latest: int = found[0]["latest_version"] or 0
        assigned = _assigned(connection, process_id, {latest, *(each.version for each in answers)})
    steps = _steps(latest, answers, assigned)
    return ProcessDrift(
        process_id,
        found[0]["name"],
        latest,
        DAYS,
        sum(step.drifts for step in steps),
        steps,
        freshness.as_of_position,
        freshness.lag_seconds,
    )


def get_agent_drift(
    reading: Reading, name: str, *, within: tuple[str, ...] = (), min_position: int | None = None
) -> AgentDrift:
    """Return for which steps an agent has answered. within: visible processes.

    Raises NotFound, NotYet or ReadModelRebuilding.
    """
    where = Where({"agent": name, "days": DAYS, "rows": MOST})
    where.of_visible("r.process_id", within)
    beside = (REFERENCES, CATALOGUE, DIRECTORY, INBOX)
    with reading.of(ANALYTICS, min_position, beside=beside) as (connection, freshness):
        if not fetch(connection, _AGENT, (agent_id(name),)):
            raise AgentNotFound(f"there is no agent {name!r}", agent=name)
        rows = fetch(connection, _OF_AGENT.format(where=where.sql), where.parameters)
        keys = [(row.pop("process_id"), row["step"]) for row in rows]
        latest = sorted(range(len(rows)), key=lambda n: rows[n]["last_at"], reverse=True)
        notified = fetch_notified(connection, [*dict.fromkeys(keys[n] for n in latest)][:MOST_NOTIFIED])
    answers = [
        AgentDriftAnswers(agent=name, drifts=_drifts(name, row["assigned"]), notified=notified.get(key), **row)
        for key, row in zip(keys, rows, strict=True)
    ]
    drifting = sum(each.drifts for each in answers)
    return AgentDrift(name, DAYS, drifting, answers, freshness.as_of_position, freshness.lag_seconds)


def _assigned(connection: Connection[Any], process_id: UUID, versions: set[int]) -> dict[tuple[int, str], str]:
    """Return the executor of each step, by version and step, in the newest of these versions."""
    newest = sorted(versions, reverse=True)[:MOST_VERSIONS]
    rows = fetch(connection, _ASSIGNED, (process_id, newest))
    return {(row["version"], row["step"]): row["name"] for row in rows}


def _steps(latest: int, answers: Sequence[StepAnswers], assigned: dict[tuple[int, str], str]) -> list[StepDrift]:
    by_step: dict[str, list[DriftAnswers]] = {step: [] for version, step in assigned if version == latest}
    for each in answers:
        executor = assigned.get((each.version, each.step))
        by_step.setdefault(each.step, []).append(
            DriftAnswers(
                each.version,
                each.agent,
                executor,
                _drifts(each.agent, executor),
                each.completed,
                each.failed,
                each.last_at,
            )
        )
    steps = [
        StepDrift(step, assigned.get((latest, step)), any(each.drifts for each in of), of)
        for step, of in by_step.items()
    ]
    return sorted(steps, key=lambda step: (not step.drifts, step.step))


def _drifts(agent: str, assigned: str | None) -> bool:
    return assigned is not None and assigned != agent
