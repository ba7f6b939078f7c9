"""Steps drawn at random: of all types, with policies of every kind."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Kind = Callable[[Random, Sequence[str]], dict[str, Any]]


def drawn_step(random: Random, ids: list[str], n: int, callees: Sequence[str], calls: int = 3) -> dict[str, Any]:
    """Return step `n` of those with `ids`; of ten or so steps `calls` call one of `callees`."""
    later = ids[n + 1 :]
    needs = sorted(random.sample(ids[:n], min(n, random.choice([0, 1, 1, 1, 2, 3]))))
    kinds: list[Kind] = [*[_agent] * 3, _timer, _approval, _notification, _gateway if later else _agent]
    kinds += [_sub_process] * (calls if callees else 0)
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


def _agent(random: Random, later: Sequence[str]) -> dict[str, Any]:
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


def _notification(random: Random, later: Sequence[str]) -> dict[str, Any]:
    step: dict[str, Any] = {"type": "notification", "channel": ["webhook"], "message": "look at {{ input.n }}"}
    if random.random() < 0.5:
        step["timeout"] = random.randint(2, 30)
    return step | ({"retry": _retry(random)} if random.random() < 0.5 else {})


def _sub_process(random: Random, callees: Sequence[str]) -> dict[str, Any]:
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
    body = [drawn_step(random, ["b0"], 0, []), {"type": "agent_task", "id": "b1", "agent": "echo", "message": "do it"}]
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


def _timer(random: Random, later: Sequence[str]) -> dict[str, Any]:
    step: dict[str, Any] = {"type": "timer", "duration": random.choice([0, 1, 10, 120])}
    if random.random() < 0.3:
        step["timeout"] = 20
        step["retry"] = {"max_attempts": 2, "delay": 3}
    return step


def _approval(random: Random, later: Sequence[str]) -> dict[str, Any]:
    """Return an approval step, whose deadline may pass."""
    on_deadline = random.choice(["reject", "approve", "approve", "approve", "skip"])
    step = {"type": "human_approval", "deadline": random.choice([1, 10, 120]), "on_deadline": on_deadline}
    return step | ({"retry": {"max_attempts": 2, "delay": 3}} if random.random() < 0.3 else {})


def _gateway(random: Random, later: Sequence[str]) -> dict[str, Any]:
    targets = random.sample(later, random.randint(1, min(3, len(later))))
    routes = [{"target": target, "condition": random.choice(["true", "false"])} for target in targets]
    step = {"type": "gateway", "gateway_type": random.choice(["exclusive", "inclusive", "parallel"]), "routes": routes}
    return step | ({"default_route": random.choice(later)} if random.random() < 0.7 else {})
