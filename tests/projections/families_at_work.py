"""Executions that call each other, with the engine itself and everything that goes on between them, done by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from commands.agents import Agents, RegisterAgent
from commands.executions import Executions, StartExecution, unit_of
from commands.plans import Plans
from commands.policies import whenever
from commands.processes import DraftProcess, Processes, PublishProcess
from domain.agents.calls import StepError
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.executions.decisions.execution import admit_execution, cancel_execution
from domain.executions.decisions.repairs import retry_execution, retry_step
from domain.executions.decisions.step import complete_step, fail_step, start_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import SubProcessStarted
from domain.executions.state.model import Execution
from domain.identity import process_id
from domain.refusal import Refusal
from store.datastore import Datastore
from store.lists import outbox as messages
from store.lists import queues as lines
from store.log import Log

SOURCES = (
    """
name: leaf
input: {of: {type: string, default: a}, turn: {type: integer, default: 0}}
max_running: {limit: 2, per: "{{ input.of }}"}
priority: "{{ input.turn }}"
steps: [{id: work, agent: echo, message: hello, compensation: {agent: echo, message: undo, timeout: 1h}},
        {id: more, agent: echo, message: hello, depends_on: work}]
""",
    """
name: middle
steps:
  - {id: below, type: sub_process, process: leaf, retry: {max_attempts: 2, delay: 0s}}
  - {id: own, agent: echo, message: hello}
""",
    """
name: root
steps:
  - {id: waits, type: sub_process, process: middle}
  - {id: skips, type: sub_process, process: leaf, on_error: skip, timeout: 1h, input_mapping: {of: b, turn: 3}}
  - {id: goes_on, type: sub_process, process: middle, wait: false}
  - {id: lets_go, type: sub_process, process: leaf, wait: false, on_parent_close: abandon}
  - {id: own, agent: echo, message: hello}
""",
)


class Site:
    """Executions that call each other, with everything that happens to them done by hand."""

    def __init__(self, datastore: Datastore, seed: int) -> None:
        self.datastore, self.log, self.random = datastore, Log(datastore), Random(seed)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        agents = Agents(self.log)
        agents.register(
            RegisterAgent("echo", parse_agent("echo", {"kind": "scripted", "script": "echo"})), self.cause()
        )
        processes = Processes(self.log, agents)
        for source in SOURCES:
            processes.publish(PublishProcess(processes.draft(DraftProcess(source), self.cause()).stream), self.cause())
        self.plans = Plans(self.log)
        self.executions = Executions(self.log, self.plans)
        self.ids: list[UUID] = []
        self.start()

    def cause(self) -> Cause:
        self.now += timedelta(seconds=1)
        return Cause(self.now, "user:test")

    def start(self, name: str = "") -> None:
        name = name or self.random.choice(("root", "root", "leaf"))
        turn = {"of": self.random.choice("ab"), "turn": self.random.randint(-5, 5)} if name == "leaf" else {}
        self.ids.append(self.executions.start(StartExecution(process_id(name), turn), self.cause()).stream)

    def decide(self, id: UUID, decision: Callable[[Execution], Unfolding]) -> None:
        before = self.executions.load(id)
        try:
            decided = decision(before)
        except Refusal:
            return
        if decided.events:
            self.log.append(unit_of(before, decided))

    def handle(self, reach: int) -> bool:
        """See to one of the first messages; False when there is none."""
        with self.datastore.reading() as connection:
            found = messages.claim(connection, 1 + self.random.randrange(reach))
            first = {(each.source, each.recipient): each for each in reversed(found)}
            if not first:
                return False
            message = self.random.choice(list(first.values()))
            messages.release(connection, [each.key for each in found if each is not message])
        events = self.log.stream(message.recipient)
        if isinstance(message.event, SubProcessStarted) and not events:
            plan = self.plans.get(message.event.process_id, message.event.version)
            before = Execution(message.recipient, plan, callees=self.plans.callees(plan)[0])
            self.ids.append(message.recipient)
        elif events:
            before = self.executions.load(message.recipient)
        else:
            raise AssertionError(f"{message} came before its recipient")
        decided = whenever(message, self.cause(), 0, 0)(before)
        with self.datastore.reading() as connection:
            if not decided.events:
                messages.drop(connection, [message.key])
                return True
        self.log.append(replace(unit_of(before, decided), handled=[message.key]))
        return True

    def admit(self) -> bool:
        """Let those in whom there is room for; False when there is nobody."""
        with self.datastore.reading() as connection:
            waiting = [lines.Admissible(id, 2) for id, _ in lines.processes(connection)]
            queues = lines.queues(connection, waiting, 5)
        ids = [id for queue in queues for id in queue.waiting]
        for id in ids:
            self.decide(id, lambda execution: admit_execution(execution, self.cause(), limit=2))
        return bool(ids)

    def work(self) -> bool:
        """Do one of the attempts that are due; False when there is none."""
        due = sorted(self.rows("due_steps", "execution_id, step, attempt"))
        if not due:
            return False
        id, step, n = self.random.choice(due)
        self.decide(id, lambda before: start_step(before, step, n, self.cause()))
        chance = self.random.random()
        if chance < 0.2:
            return True  # whoever had it is lost
        if chance < 0.8:
            self.decide(id, lambda before: complete_step(before, step, n, 1, self.cause()))
        else:
            error = StepError("agent_error", "no", permanent=self.random.random() < 0.5)
            self.decide(id, lambda before: fail_step(before, step, n, error, self.cause()))
        return True

    def operate(self) -> None:
        id = self.random.choice(self.ids)
        step = self.random.choice(("waits", "goes_on", "below", "work"))
        decision = self.random.choice(
            (
                lambda before: cancel_execution(before, "enough", self.cause()),
                lambda before: retry_execution(before, "again", self.cause()),
                lambda before: retry_step(before, step, "again", self.cause()),
            )
        )
        self.decide(id, decision)

    def happen(self, times: int) -> None:
        """Anything that may happen, in any order."""
        for _ in range(times):
            action = self.random.choices(
                (self.start, lambda: self.handle(4), self.admit, self.work, self.operate), (1, 6, 2, 12, 1)
            )[0]
            action()

    def rows(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        with self.datastore.reading() as connection:
            found = connection.execute(f"select {columns} from {table}").fetchall()
        return [tuple(row.values()) for row in found]

    def listed(self) -> dict[str, Any]:
        """The lists as they are, and of admissions the order of those who wait."""
        return {
            "outbox": set(self.rows("outbox", "source, version, recipient")),
            "admissions": set(self.rows("admissions", "execution_id, process_id, key, called, running")),
            "waiting": self.rows("admissions where not running order by key, rank, position", "execution_id"),
            "lines": set(self.rows("slot_lines", "process_id, key, running, waiting, called")),
            "families": set(self.rows("families", "root, descendants")),
        }

    def run(self, query: str, *parameters: Any) -> int:
        with self.datastore.reading() as connection:
            return connection.execute(query, parameters).rowcount
