"""Random processes of all step types, with policies of every kind; they call one another."""

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
        "steps": [_step(random, ids, n, callees) for n in range(len(ids))],
        "outputs": [{"name": "last", "source": random.choice([f"{{{{ steps.{ids[-1]}.output }}}}", "{{ input.n }}"])}],
    }
    if random.random() < 0.5:
        limit = random.randint(1, 4)
        definition["max_running"] = random.choice([limit, {"limit": limit, "per": "{{ input.n }}"}])
        # Of an input of 7 the last one is none.
        definition["priority"] = random.choice([0, -20, 100, "{{ input.n }}", "{{ input.n * 15 }}"])
    return definition


def _step(random: Random, ids: list[str], n: int, callees: list[str]) -> dict[str, Any]:
    later = ids[n + 1 :]
    needs = sorted(random.sample(ids[:n], min(n, random.choice([0, 1, 1, 1, 2, 3]))))
    calls = [_sub_process, _sub_process, _sub_process] if callees else []
    kinds = [_agent, _agent, _agent, _timer, _approval, _notification, _gateway if later else _agent, *calls]
    kind = random.choice(kinds)
    more = kind(random, callees if kind is _sub_process else later)
    step: dict[str, Any] = {"id": ids[n], "depends_on": needs, **more}
    if random.random() < 0.2:
        before = needs[0] if needs else ids[n]
        step["condition"] = random.choice(["true", "true", "true", "false", f"(steps.{before}.output || 0) != 'no'"])
    if later and random.random() < 0.3:
        step["on_error"] = random.choice(["skip_step", {"goto_step": random.choice(later)}])
    if later and random.random() < 0.3:
        step["on_timeout"] = random.choice(["fail", "skip", {"goto": random.choice(later)}])
    if random.random() < 0.3:
        step["compensation"] = _compensation(random, ids[n])
    return step


def _retry(random: Random) -> dict[str, Any]:
    return {
        "max_attempts": random.randint(2, 4),
        "delay": random.choice([0, 1, 5]),
        "backoff": random.choice(["fixed", "linear", "exponential"]),
    }


def _agent(random: Random, later: list[str]) -> dict[str, Any]:
    step: dict[str, Any] = {"type": "agent_task", "agent": "echo", "message": "do it"}
    if random.random() < 0.5:
        step["retry"] = _retry(random)
    if random.random() < 0.5:
        step["timeout"] = random.randint(2, 30)
    if random.random() < 0.2:
        step["total_timeout"] = random.randint(10, 60)
    if random.random() < 0.3:
        step["heartbeat"] = random.randint(2, 10)
    if random.random() < 0.1:
        step["max_cost"] = {"amount": "0.02", "currency": "USD"}
    return step


def _notification(random: Random, later: list[str]) -> dict[str, Any]:
    step: dict[str, Any] = {"type": "notification", "channel": ["webhook"], "message": "look at {{ input.n }}"}
    if random.random() < 0.5:
        step["timeout"] = random.randint(2, 30)
    return step | ({"retry": _retry(random)} if random.random() < 0.5 else {})


def _sub_process(random: Random, callees: list[str]) -> dict[str, Any]:
    step: dict[str, Any] = {
        "type": "sub_process",
        "process": random.choice(callees),
        "input_mapping": {"n": random.choice([*[7, "{{ input.n }}"] * 6, "no number"])},
        "wait": random.random() < 0.8,
        "on_parent_close": random.choice(["cancel", "cancel", "abandon"]),
    }
    if random.random() < 0.3:
        step["version"] = 1
    if random.random() < 0.4:
        step |= _repeated(random)
    if random.random() < 0.5:
        step["output_key"] = "child"
    if random.random() < 0.4:
        step["retry"] = _retry(random)
    if random.random() < 0.4:
        step["timeout"] = random.choice([5, 60, 600])
    if random.random() < 0.2:
        step["total_timeout"] = random.choice([60, 600])
    return step


def _repeated(random: Random) -> dict[str, Any]:
    """Return the repetition of a call; half of the times with its steps in place of a process."""
    body = [_step(random, ["b0"], 0, []), {"type": "agent_task", "id": "b1", "agent": "echo", "message": "do it"}]
    inside = {"process": None, "version": None, "steps": body, "outputs": [{"name": "last", "source": "yes"}]}
    more: dict[str, Any] = {"wait": True} | (inside if random.random() < 0.5 else {})
    if random.random() < 0.5:
        items = random.choice([[], [1], [1, 2, 3], [1, "no number", 3]])
        each = {"items": items, "as": "n", "max_parallel": random.randint(1, 3)}
        each |= {"on_error": random.choice(["fail", "skip", "collect"])}
        each |= {"key": "{{ n }}"} if random.random() < 0.5 else {}
        return more | {"for_each": each, "input_mapping": {"n": "{{ n }}"}}
    until = random.choice(["round >= 2", "last.output.last == 'yes'", "round > 9"])
    again = {"until": until, "max": random.randint(1, 3), "on_exhausted": random.choice(["fail", "accept"])}
    again |= {"delay": random.choice([1, 20])} if random.random() < 0.4 else {}
    return more | {"repeat": again | ({"carry": {"n": "{{ round }}"}} if random.random() < 0.5 else {})}


def _compensation(random: Random, step: str) -> dict[str, Any]:
    message = random.choice([*["undo it"] * 7, f"undo {{{{ steps.{step}.output.child.last }}}}"])
    done: dict[str, Any] = (
        _notification(random, []) if random.random() < 0.3 else {"type": "agent_task", "agent": "echo"}
    )
    done["message"] = message
    if random.random() < 0.5:
        done["retry"] = _retry(random)
    if random.random() < 0.5:
        done["timeout"] = random.randint(2, 30)
    return done


def _timer(random: Random, later: list[str]) -> dict[str, Any]:
    step: dict[str, Any] = {"type": "timer", "duration": random.choice([0, 1, 10, 120])}
    if random.random() < 0.3:
        step["timeout"] = 20
        step["retry"] = {"max_attempts": 2, "delay": 3}
    return step


def _approval(random: Random, later: list[str]) -> dict[str, Any]:
    """Return an approval step, whose deadline may pass."""
    on_deadline = random.choice(["reject", "approve", "approve", "approve", "skip"])
    step = {"type": "human_approval", "deadline": random.choice([1, 10, 120]), "on_deadline": on_deadline}
    return step | ({"retry": {"max_attempts": 2, "delay": 3}} if random.random() < 0.3 else {})


def _gateway(random: Random, later: list[str]) -> dict[str, Any]:
    targets = random.sample(later, random.randint(1, min(3, len(later))))
    routes = [{"target": target, "condition": random.choice(["true", "false"])} for target in targets]
    step = {"type": "gateway", "gateway_type": random.choice(["exclusive", "inclusive", "parallel"]), "routes": routes}
    return step | ({"default_route": random.choice(later)} if random.random() < 0.7 else {})
