"""The example processes run to their ends on a real worker and database, with the agents that lie beside them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.clock import SYSTEM_CLOCK
from app.demo.examples import example_agents, example_processes
from app.template_checks.answering import Answering
from app.template_checks.shelf import Shelf
from app.template_checks.stage import Stage
from commands.agents import Agents, RegisterAgent
from commands.executions import Executions, StartExecution
from commands.plans import Plans
from commands.processes import DraftProcess, Processes, PublishProcess
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.executions.events.compensation import CompensationCompleted
from domain.executions.events.execution import ExecutionCompleted, ExecutionFailed, Trigger
from domain.processes.plan import accept_input
from scheduler.worker import Worker
from store.datastore import Datastore
from store.log import Log
from tests.waiting import until

FOLDER = Path(__file__).parents[2] / "examples"
SECONDS = 120
FAILING = {"reminder-mail", "trip-booking"}
NOTIFYING = {"order-shipped"}
"""Its channels are not configured here; on the stage of checks they deliver."""


class Demo:
    """Every example with every input, run at once."""

    def __init__(self, log: Log) -> None:
        self._log = log
        plans, agents = Plans(log), Agents(log)
        processes, executions = Processes(log, agents), Executions(log, plans)
        for name, config in example_agents(FOLDER).items():
            agents.register(RegisterAgent(name, parse_agent(name, config)), cause())
        self.ids: dict[str, list[UUID]] = {}
        for example in example_processes(FOLDER):
            process = processes.draft(DraftProcess(example.source), cause()).stream
            processes.publish(PublishProcess(process), cause())
            starts = [StartExecution(process, given) for given in example.inputs]
            self.ids[Path(example.file).stem] = [executions.start(start, cause()).stream for start in starts]

    def ends(self, name: str) -> list[Any]:
        return [self._end(id) for id in self.ids[name]]

    def topics(self, name: str) -> set[str]:
        return {type(event).__name__ for id in self.ids[name] for event in self._log.stream(id)}

    def undone(self, name: str) -> list[str]:
        events = [event for id in self.ids[name] for event in self._log.stream(id)]
        return [event.step for event in events if isinstance(event, CompensationCompleted)]

    def _end(self, id: UUID) -> Any:
        """The last event of an execution, once it has ended."""
        until(lambda: isinstance(self._log.stream(id)[-1], ExecutionCompleted | ExecutionFailed), SECONDS)
        return self._log.stream(id)[-1]


def cause() -> Cause:
    return Cause(datetime.now(UTC), "user:test")


@pytest.fixture
def demo(datastore: Datastore) -> Iterator[Demo]:
    log = Log(datastore)
    worker = Worker(
        datastore,
        log,
        Plans(log),
        clock=SYSTEM_CLOCK,
        callback_key=b"key",
        callback_base=None,
        max_open=100,
        lease=timedelta(seconds=10),
        drain=timedelta(seconds=5),
    )
    worker.start()
    yield Demo(log)
    worker.stop()
    log.close()


def test_the_examples_end_as_they_say_and_soon(demo: Demo) -> None:
    begun = time.monotonic()
    for name in demo.ids:
        for end in demo.ends(name):
            assert isinstance(end, ExecutionFailed if name in FAILING else ExecutionCompleted), f"{name}: {end}"
    assert time.monotonic() - begun < SECONDS / 2

    (quiet,) = demo.ends("quiet-period")
    assert quiet.outputs["packing"].startswith("Please pack A-1042; confirmed as: ")
    assert {"TimerStarted", "TimerFired"} <= demo.topics("quiet-period")

    paid, looked_at = demo.ends("refund-routes")
    assert paid.outputs == {"way": "pay", "told": ["book", "improve"]}
    assert looked_at.outputs == {"way": "review", "told": ["book"]}
    assert {"GatewayEvaluated", "StepSkipped"} <= demo.topics("refund-routes")

    (called,) = demo.ends("steady-call")
    assert called.outputs["called"] == "Hello Robin, we have news."
    assert called.outputs["instead"] != "nothing"
    assert {"StepRetryScheduled", "StepDiverted"} <= demo.topics("steady-call")

    (sent,) = demo.ends("newsletter")
    assert sent.outputs["remarks"] == ["Name the year the figures are from."]
    assert "120 readers" in sent.outputs["sent"]
    assert "SubProcessStarted" in demo.topics("newsletter")

    (shipped,) = demo.ends("order-shipped")
    assert shipped.outputs["filed"].endswith("the team: channel_not_configured")

    assert demo.undone("trip-booking") == ["room", "flight"]

    assert {name: ends_on_stage(name) for name in demo.ids.keys() - NOTIFYING} == {
        name: [facts(end) for end in demo.ends(name)] for name in demo.ids.keys() - NOTIFYING
    }

    (released,) = demo.ends("press-release")
    assert released.outputs["decision"] == "approved"
    assert {"ApprovalRequested", "ApprovalExpired"} <= demo.topics("press-release")


def facts(end: Any) -> object:
    return end.outputs if isinstance(end, ExecutionCompleted) else (end.step, end.error.code)


def ends_on_stage(name: str) -> list[object]:
    """How the executions of an example end on the stage on which the checks of templates run."""
    agents = example_agents(FOLDER)
    shelf = Shelf(agents)
    examples = {Path(each.file).stem: each for each in example_processes(FOLDER)}
    published = {stem: shelf.publish(each.source.decode(), cause()) for stem, each in examples.items()}[name]
    ends: list[object] = []
    for given in examples[name].inputs:
        stage = Stage(shelf, Answering(agents), [], datetime.now(UTC))
        execution = stage.run(published, accept_input(published.plan.input_spec, given), Trigger())
        ends.append(facts([event for id, event in stage.events if id == execution.id][-1]))
    return ends
