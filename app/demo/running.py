"""Registers the example agents, publishes the example processes, runs them, and follows the runs to their end."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from app.demo.examples import example_agents, example_processes
from app.demo.made import example_uses, make
from app.documents import inside
from app.publishing import publish_source
from app.signals import Stopping
from app.wiring import Wiring, operator
from commands.agents import RegisterAgent
from commands.executions import StartExecution
from commands.states import rehydrate
from domain.executions.state.model import Execution
from queries.execution_list import ExecutionFilter, ExecutionSummary, list_executions

CHECK_SECONDS = 0.1


class Prepared(msgspec.Struct, frozen=True):
    """The runs that are ready, and how many agents and processes. new_agents, new_versions: recorded by this call."""

    agents: int
    new_agents: int
    processes: int
    new_versions: int
    runs: list[StartExecution]


def prepare(wiring: Wiring, folder: Path) -> Prepared:
    """Register the agents of the folder and publish its processes; record nothing unchanged. Raises Malformed."""
    agents = example_agents(folder)
    cause = operator("cli:demo")
    registered = [wiring.agents.register(RegisterAgent(*agent), cause) for agent in agents.items()]
    examples = example_processes(folder)
    new_versions = 0
    runs = []
    for example in examples:
        with inside(example.file):
            published = publish_source(wiring, example.source)
        new_versions += published.new
        runs += [StartExecution(UUID(published.process_id), given) for given in example.inputs]
    uses = example_uses(folder)
    for use in uses:
        with inside(use.file):
            made = make(wiring, use, cause)
        new_versions += made.new
        runs += [StartExecution(made.process_id, given) for given in use.inputs]
    new_agents = sum(not receipt.duplicate for receipt in registered)
    return Prepared(len(agents), new_agents, len(examples) + len(uses), new_versions, runs)


def start_all(wiring: Wiring, runs: Sequence[StartExecution]) -> list[UUID]:
    """Start every run; return the ids of the executions, in order."""
    return [wiring.executions.start(run, operator("cli:demo")).stream for run in runs]


def leave_open(wiring: Wiring, folder: Path) -> list[UUID]:
    """Start the processes in `open/` of the folder, which wait for a person, for time or for a child; return their ids.

    Their agents are those of the folder. Executions of an earlier demo stay as they are, beside the new ones.
    """
    kept_open = folder / "open"
    return start_all(wiring, prepare(wiring, kept_open).runs) if kept_open.is_dir() else []


def follow(
    wiring: Wiring,
    ids: Sequence[UUID],
    stopping: Stopping,
    show: Callable[[list[Execution]], None],
    timeout: float,
) -> bool:
    """Pass the executions to `show`, in order, several times a second, until all have ended.

    Return False if a stop is requested before that. Raises TimeoutError after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        streams = wiring.log.streams(ids)
        folded = [rehydrate(each, streams.get(each, []), wiring.plans) for each in ids]
        executions = [execution for execution in folded if execution is not None]
        show(executions)
        if all(execution.ended_at is not None for execution in executions):
            return True
        if stopping.wait(CHECK_SECONDS):
            return False
        if time.monotonic() > deadline:
            raise TimeoutError(f"the example processes have not ended within {timeout:.0f} s")


def summaries(wiring: Wiring, ids: Sequence[UUID]) -> list[ExecutionSummary]:
    """Return the executions from the read model once it has their ends, in the order of `ids`. Raises NotYet."""
    position = wiring.log.last_position()
    page = list_executions(wiring.reading, ExecutionFilter(), limit=200, min_position=position)
    listed = {each.execution_id: each for each in page.items}
    return [listed[each] for each in ids if each in listed]
