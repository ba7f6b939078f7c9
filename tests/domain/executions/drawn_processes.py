"""Processes drawn at random: graphs of steps of all types, with every setting that the engine looks at."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Steps = dict[str, dict[str, Any]]
Process = tuple[dict[str, list[str]], Steps]
Kind = Callable[[st.DrawFn, list[str]], dict[str, Any]]

CHILD, NOWHERE = "child", "nowhere"


@st.composite
def processes(draw: st.DrawFn, largest: int = 8, calls: tuple[str, ...] = (CHILD, NOWHERE), many: int = 2) -> Process:
    """A random acyclic graph of up to `largest` steps; `many` of eight or so call one of the processes `calls`."""
    ids = [f"s{n}" for n in range(draw(st.integers(1, largest)))]
    graph: dict[str, list[str]] = {}
    steps: Steps = {}
    kinds = [agent, agent, timer, gateway, approval, notification] + [sub_process(calls)] * many
    for n, step in enumerate(ids):
        graph[step] = sorted(draw(st.sets(st.sampled_from(ids[:n]), max_size=3))) if n else []
        steps[step] = more = draw(st.sampled_from(kinds))(draw, ids[n + 1 :])
        if draw(st.integers(0, 2)) == 2:
            before = graph[step][0] if graph[step] else "s0"
            conditions = ["true", "false", f"(steps.{before}.output || 0) != 1", f"steps.{before}.output > 1"]
            more["condition"] = draw(st.sampled_from(conditions))
        if ids[n + 1 :] and draw(st.booleans()):
            target = draw(st.sampled_from(ids[n + 1 :]))
            more["on_error"] = draw(st.sampled_from(["skip_step", {"goto_step": target}]))
            more["on_timeout"] = draw(st.sampled_from(["fail", "skip", {"goto": target}]))
        if draw(st.booleans()):
            more["compensation"] = compensation(draw, step)
    return graph, steps


def agent(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """An agent task with policies."""
    limit = {"amount": "0.02", "currency": "USD"}
    return some(draw, timeout=5, total_timeout=12, heartbeat=3, retry=retry(draw), max_cost=limit)


def timer(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """A timer step that may time out."""
    more = {"timeout": 4, "retry": {"max_attempts": 2, "delay": draw(st.integers(0, 2))}} if draw(st.booleans()) else {}
    return {"type": "timer", "duration": draw(st.integers(0, 9)), **more}


def approval(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """People who are asked, and silent at last."""
    more = {"retry": {"max_attempts": 2, "delay": draw(st.integers(0, 2))}} if draw(st.booleans()) else {}
    on_deadline = draw(st.sampled_from(["reject", "approve", "skip"]))
    return {"type": "human_approval", "deadline": draw(st.integers(1, 9)), "on_deadline": on_deadline, **more}


def gateway(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """A gateway to steps that come later; an agent task when there are none."""
    if not later:
        return agent(draw, later)
    targets = draw(st.lists(st.sampled_from(later), min_size=1, max_size=3))
    routes = [{"target": target, "condition": draw(st.sampled_from(["true", "false"]))} for target in targets]
    default = {"default_route": draw(st.sampled_from(later))} if draw(st.booleans()) else {}
    kind = draw(st.sampled_from(["exclusive", "inclusive", "parallel"]))
    return {"type": "gateway", "gateway_type": kind, "routes": routes, **default}


def notification(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
    """Somebody is told."""
    told = {"type": "notification", "channel": ["webhook"], "message": "{{ execution.id }}"}
    return told | some(draw, timeout=5, total_timeout=12, retry=retry(draw))


def sub_process(calls: tuple[str, ...]) -> Kind:
    """One of the processes `calls` is called."""

    def draw_one(draw: st.DrawFn, later: list[str]) -> dict[str, Any]:
        call = {"type": "sub_process", "process": draw(st.sampled_from(calls)), "wait": draw(st.integers(0, 3)) > 0}
        call |= repetition(draw) if draw(st.booleans()) else {}
        close = draw(st.sampled_from(["cancel", "abandon"]))
        return call | {"on_parent_close": close} | some(draw, timeout=9, total_timeout=20, retry=retry(draw))

    return draw_one


def repetition(draw: st.DrawFn) -> dict[str, Any]:
    """The step goes through a list, or runs until a condition holds; now and then its steps stand inside it."""
    work = {"id": "work", "type": "agent_task", "agent": "echo", "message": "do", "condition": "input.n > 0"}
    body = {
        "process": None,
        "steps": [work],
        "outputs": [{"name": "x", "source": 1}],
        "input_mapping": {"n": "{{ n }}"},
    }
    if draw(st.booleans()):
        items = draw(st.sampled_from([[], [0, 1], [1, 2, 0, 3], "{{ execution.id }}"]))
        each = {"items": items, "as": "n", "max_parallel": draw(st.integers(1, 3))}
        each["on_error"] = draw(st.sampled_from(["fail", "skip", "collect"]))
        inside = body if draw(st.booleans()) else {"input_mapping": {}}
        return {"wait": True, "for_each": each | ({"key": "{{ n }}"} if draw(st.booleans()) else {}), **inside}
    until = draw(st.sampled_from(["round >= 2", "last.output.x == 1", "round > 5", "last.output.nowhere == 1"]))
    again = {"until": until, "max": draw(st.integers(1, 3)), "on_exhausted": draw(st.sampled_from(["fail", "accept"]))}
    again |= some(draw, delay=draw(st.integers(1, 5)), carry={"n": "{{ round }}"})
    inside = body | {"input_mapping": {"n": 0}} if draw(st.booleans()) else {}
    return {"wait": True, "repeat": again, **inside}


def compensation(draw: st.DrawFn, step: str) -> dict[str, Any]:
    """What undoes `step`; now and then it cannot be worked out."""
    if draw(st.integers(0, 3)) == 0:
        return {"type": "notification", "channel": ["slack"], "message": "undo"}
    message = draw(st.sampled_from(["undo", "undo", f"undo {{{{ steps.{step}.output.nowhere }}}}"]))
    more = some(draw, timeout=5, total_timeout=12, heartbeat=3, retry=retry(draw))
    return {"type": "agent_task", "agent": "undoer", "message": message, **more}


def retry(draw: st.DrawFn) -> dict[str, Any]:
    """A retry policy."""
    return {"max_attempts": draw(st.integers(1, 3)), "delay": draw(st.integers(0, 9)), "backoff": "linear"}


def some(draw: st.DrawFn, **settings: Any) -> dict[str, Any]:
    """Some of the settings."""
    return {name: settings[name] for name in draw(st.sets(st.sampled_from(sorted(settings))))}
