"""The scripted agents of a check, and channels that deliver every notification."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.agents.calls import Answer, Completed, Failed, StepError
from domain.agents.kinds import parse_agent, read_agent
from domain.agents.scripted import ScriptedConfig
from domain.executions.state.call import call_of
from domain.executions.state.model import Execution
from domain.processes.plan import PlannedNotification
from gateway.notifications import message_id
from gateway.scripted import Scripted


class Answering:
    """Answers the attempts of steps. notified: the steps that notified people, in order."""

    def __init__(self, configurations: Mapping[str, Mapping[str, Any]]) -> None:
        self._agents = {name: _scripted(name, written) for name, written in configurations.items()}
        self.notified: list[str] = []

    def answer(self, execution: Execution, step: str) -> tuple[timedelta, Answer]:
        """Return the answer to the attempt under way, and the time that it takes."""
        planned, state = execution.plan.steps[step], execution.steps[step]
        call = call_of(execution, step)
        if isinstance(planned, PlannedNotification):
            self.notified.append(step)
            channels = state.parameters["channels"]
            return timedelta(), Completed({"delivered": [{"channel": c, "id": message_id(call, c)} for c in channels]})
        agent = self._agents.get(state.agent)
        if agent is None:
            return timedelta(), Failed(StepError("agent_unknown", f"the checks script no agent {state.agent!r}", True))
        return agent.delay, agent.answer_now(call)


def _scripted(name: str, written: Mapping[str, Any]) -> Scripted:
    """Return the agent of a configuration, in which `kind` may be left out. Raises Malformed."""
    config = read_agent(parse_agent(name, {"kind": "scripted", "usage": "none", **written}))
    assert isinstance(config, ScriptedConfig)
    return Scripted(config)
