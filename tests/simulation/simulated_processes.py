"""Random processes that call one another, and those that wait for few slots."""

from random import Random
from typing import Any
from uuid import UUID

from commands.plans import Plans
from domain.event import Cause, Event, record
from domain.identity import process_id
from domain.language import definition_document
from domain.language.types.definition import Definition
from domain.processes.events import ProcessDrafted, ProcessPublished
from domain.processes.plan import Limits, Plan
from tests.drawn_steps import drawn_step

LIMITS = Limits(max_depth=2, max_descendants=12)
LEVELS, PER_LEVEL = 4, 3

Kept = dict[tuple[UUID, int], Plan]


class SimulatedPlans(Plans):
    """The real plans on a simulated log; all workers share the compiled versions, which never change."""

    def __init__(self, log: Any, kept: Kept) -> None:
        super().__init__(log, LIMITS)
        self._plans = kept


def processes(random: Random) -> list[dict[str, Any]]:
    """Return definitions in levels; each may call lower levels, one level deeper than the limit at run time."""
    levels = [[f"process-{level}-{n}" for n in range(PER_LEVEL)] for level in range(LEVELS)]
    found: list[dict[str, Any]] = []
    for level, names in enumerate(levels):
        callees = [name for lower in levels[level + 1 :] for name in lower]
        found += [_process(random, name, callees) for name in names]
    return found


def contended(random: Random) -> list[dict[str, Any]]:
    """Return processes whose executions mostly wait: few of each key run at once, and each has its own priority."""
    input = {"n": {"type": "integer", "default": 1}, "p": {"type": "integer", "default": 0}}
    work = {"type": "agent_task", "id": "work", "agent": "other", "message": "do it"}
    call = {"type": "sub_process", "id": "call", "process": "narrow", "input_mapping": {"n": 2, "p": "{{ input.p }}"}}
    limit = {"limit": random.randint(1, 3), "per": "{{ input.n }}"}
    common = {"input": input, "priority": "{{ input.p }}"}
    return [
        {"name": "narrow", "max_running": limit, "steps": [work], **common},
        {"name": "caller", "max_running": random.randint(4, 6), "steps": [call], **common},
    ]


def published(definition: dict[str, Any], version: int, cause: Cause) -> list[Event]:
    """Return the events that make `definition` the next version of its process."""
    name, document = definition["name"], definition_document(Definition.model_validate(definition))
    drafted = [record(ProcessDrafted, cause, name=name, source="")] if version == 1 else []
    return [*drafted, record(ProcessPublished, cause, name=name, version=version, source="", definition=document)]


def id_of(definition: dict[str, Any]) -> UUID:
    """Return the id of a process."""
    return process_id(definition["name"])


def _process(random: Random, name: str, callees: list[str]) -> dict[str, Any]:
    ids = [f"s{n}" for n in range(random.randint(1, 7))]
    definition: dict[str, Any] = {
        "name": name,
        "input": {"n": {"type": "integer", "default": 1}},
        "steps": [drawn_step(random, ids, n, callees) for n in range(len(ids))],
        "outputs": [{"name": "last", "source": random.choice([f"{{{{ steps.{ids[-1]}.output }}}}", "{{ input.n }}"])}],
    }
    if random.random() < 0.5:
        limit = random.randint(1, 4)
        definition["max_running"] = random.choice([limit, {"limit": limit, "per": "{{ input.n }}"}])
        # Of an input of 7 the last one is none.
        definition["priority"] = random.choice([0, -20, 100, "{{ input.n }}", "{{ input.n * 15 }}"])
    return definition
