"""Processes published in memory: each is checked as the publication checks it, with all warnings as errors."""

from collections.abc import Collection, Mapping

from commands.registrations import SHORTEST_INTERVAL
from domain.alerts.thresholds import ThresholdTerms, terms_of_definition
from domain.event import Cause
from domain.identity import process_id
from domain.language import agent_problems, interval_problems, load_definition, parse_definition
from domain.language.types.definition import Definition
from domain.processes.callees import CallGraph
from domain.processes.calling import member_problems, process_problems
from domain.processes.decisions import draft_process, publish_process
from domain.processes.plan import Plan, PlannedSubProcess, compile_plan
from domain.processes.process import Process, fold
from domain.refusal import Malformed, strictly


class StagedProcess:
    """One process with its only version."""

    def __init__(self, process: Process) -> None:
        content = process.versions[process.latest]
        self.process = process
        self.definition: Definition = load_definition(content.definition)
        self.plan: Plan = compile_plan(self.definition, process_id(process.name), process.latest, rules=content.rules)
        self.thresholds: ThresholdTerms = terms_of_definition(content.definition)


class Shelf:
    """The processes of one check, by name. agents: the names of those that are registered."""

    def __init__(self, agents: Collection[str]) -> None:
        self._agents = dict.fromkeys(agents, "active")
        self._published: dict[str, StagedProcess] = {}

    def publish(self, text: str, cause: Cause) -> StagedProcess:
        """Publish the process of a text. Raises Malformed with every problem: here a warning is one too."""
        parsed = parse_definition(text, strict=True)
        if parsed.definition is None or parsed.name is None:
            raise Malformed("the process is not valid", parsed.problems)
        calls = CallGraph(parsed.name, [(use.name, use.version) for use in parsed.processes])
        while calls.unresolved:
            calls.resolve_level(self._found(calls.unresolved))
        found = strictly(
            [
                *agent_problems(parsed, self._agents),
                *process_problems(parsed, calls),
                *member_problems(parsed, calls),
                *interval_problems(parsed, SHORTEST_INTERVAL, "error"),
            ]
        )
        drafted = draft_process(None, parsed, cause)
        process = fold(drafted)
        assert process is not None
        published = fold([*drafted, *publish_process(process, parsed, found, cause)])
        assert published is not None
        self._published[parsed.name] = StagedProcess(published)
        return self._published[parsed.name]

    def get(self, name: str) -> StagedProcess:
        """Return a published process."""
        return self._published[name]

    def callees(self, plan: Plan) -> dict[str, Plan]:
        """Return the plan of the process that each step calls."""
        called = (step for step in plan.steps.values() if isinstance(step, PlannedSubProcess))
        named = {step.id: self._published[step.process].plan for step in called if step.process in self._published}
        return {**plan.bodies, **named}

    def _found(self, names: Collection[str]) -> Mapping[str, Process]:
        return {name: self._published[name].process for name in names if name in self._published}
