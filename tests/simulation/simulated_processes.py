"""Random processes of all step types, with policies of every kind."""

from random import Random
from typing import Any
from uuid import UUID

from domain.processes.definition import Definition
from domain.processes.plan import Plan, compile_plan


class Plans:
    """The published processes of a simulation, as `commands.states` asks for them."""

    def __init__(self, random: Random, count: int) -> None:
        self.all = [_plan(random, UUID(int=n + 1)) for n in range(count)]

    def get(self, process_id: UUID, version: int) -> Plan:
        """The plan of a version."""
        return self.all[process_id.int - 1]


def _plan(random: Random, id_: UUID) -> Plan:
    ids = [f"s{n}" for n in range(random.randint(1, 9))]
    steps = [_step(random, ids, n) for n in range(len(ids))]
    return compile_plan(Definition.model_validate({"name": "simulated", "steps": steps}), id_, 1)


def _step(random: Random, ids: list[str], n: int) -> dict[str, Any]:
    later = ids[n + 1 :]
    needs = sorted(random.sample(ids[:n], min(n, random.choice([0, 1, 1, 1, 2, 3]))))
    kind = random.choice([_agent, _agent, _agent, _timer, _approval, _gateway if later else _agent])
    step: dict[str, Any] = {"id": ids[n], "depends_on": needs, **kind(random, later)}
    if random.random() < 0.2:
        before = needs[0] if needs else ids[n]
        step["condition"] = random.choice(["true", "false", f"(steps.{before}.output || 0) != 'no'"])
    if later and random.random() < 0.3:
        step["on_error"] = random.choice(["skip_step", {"goto_step": random.choice(later)}])
    if later and random.random() < 0.3:
        step["on_timeout"] = random.choice(["fail", "skip", {"goto": random.choice(later)}])
    return step


def _agent(random: Random, later: list[str]) -> dict[str, Any]:
    retry = {
        "max_attempts": random.randint(2, 4),
        "delay": random.choice([0, 1, 5]),
        "backoff": random.choice(["fixed", "linear", "exponential"]),
    }
    step: dict[str, Any] = {"type": "agent_task", "agent": "echo", "message": "do it"}
    if random.random() < 0.5:
        step["retry"] = retry
    if random.random() < 0.5:
        step["timeout"] = random.randint(2, 30)
    if random.random() < 0.2:
        step["total_timeout"] = random.randint(10, 60)
    if random.random() < 0.3:
        step["heartbeat"] = random.randint(2, 10)
    if random.random() < 0.1:
        step["max_cost"] = {"amount": "0.02", "currency": "USD"}
    return step


def _timer(random: Random, later: list[str]) -> dict[str, Any]:
    step: dict[str, Any] = {"type": "timer", "duration": random.choice([0, 1, 10, 120])}
    if random.random() < 0.3:
        step["timeout"] = 20
        step["retry"] = {"max_attempts": 2, "delay": 3}
    return step


def _approval(random: Random, later: list[str]) -> dict[str, Any]:
    """People who are asked, and let the deadline pass."""
    on_deadline = random.choice(["reject", "approve", "skip"])
    step = {"type": "human_approval", "deadline": random.choice([1, 10, 120]), "on_deadline": on_deadline}
    return step | ({"retry": {"max_attempts": 2, "delay": 3}} if random.random() < 0.3 else {})


def _gateway(random: Random, later: list[str]) -> dict[str, Any]:
    targets = random.sample(later, random.randint(1, min(3, len(later))))
    routes = [{"target": target, "condition": random.choice(["true", "false"])} for target in targets]
    step = {"type": "gateway", "gateway_type": random.choice(["exclusive", "inclusive", "parallel"]), "routes": routes}
    return step | ({"default_route": random.choice(later)} if random.random() < 0.7 else {})
