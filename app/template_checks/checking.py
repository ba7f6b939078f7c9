"""Checks of one template: samples give valid processes, scenarios end as expected, and no step is left out."""

from collections.abc import Iterator

import msgspec

from app.documents import Document, read_document
from app.template_checks.answering import Answering
from app.template_checks.comparing import Happened, differences
from app.template_checks.files import TemplateFiles
from app.template_checks.rendering import BEGIN, published, start_of
from app.template_checks.scenarios import Checks, Scenario, read_checks
from app.template_checks.shelf import Shelf, StagedProcess
from app.template_checks.stage import Stage, Stuck
from domain.executions.events.outcomes import COMPLETED
from domain.refusal import Malformed, Problem, Refusal
from domain.templates.reading import read_template
from domain.templates.template import Template
from gateway.catalogue.catalogue import CHECKS


class FailedCheck(msgspec.Struct, frozen=True):
    """A failed check. file: the name of the text that the problem is located in. check: the sample or the scenario."""

    file: str
    check: str
    problem: Problem


class CheckedTemplate(msgspec.Struct, frozen=True):
    """The checks of one template, and how many of them there were."""

    template: str
    samples: int
    scenarios: int
    failed: list[FailedCheck]


def check_template(files: TemplateFiles, name: str) -> CheckedTemplate:
    """Run all checks of a template: its scenarios once everything else is in order."""
    reading = read_template(files.templates[name])
    failed = [FailedCheck(f"{name}.yaml", "", problem) for problem in reading.problems]
    if reading.template is None:
        return CheckedTemplate(name, 0, 0, failed)
    samples, text = len(reading.template.samples), files.checks.get(name)
    if text is None:
        message = f"the template has no checks; they stand in {name}{CHECKS} beside it"
        return CheckedTemplate(
            name, samples, 0, [*failed, FailedCheck(f"{name}.yaml", "", Problem("no_checks", message))]
        )
    try:
        checks, document = read_checks(text), read_document(text)
    except Malformed as malformed:
        broken = [FailedCheck(f"{name}{CHECKS}", "", problem) for problem in malformed.problems]
        return CheckedTemplate(name, samples, 0, [*failed, *broken])
    run = _Checks(files, name, reading.template, checks, document)
    failed += run.of_samples()
    return CheckedTemplate(name, samples, len(checks.scenarios), failed or list(run.of_scenarios()))


class _Checks:
    """The checks of one template that can be read."""

    def __init__(self, files: TemplateFiles, name: str, template: Template, checks: Checks, document: Document) -> None:
        self._files = files
        self._name = name
        self._template = template
        self._checks = checks
        self._document = document
        self._processes: dict[int, tuple[Shelf, StagedProcess]] = {}
        self._left_out: dict[str, None] = {}
        self._completed: set[str] = set()

    def of_samples(self) -> Iterator[FailedCheck]:
        """Yield the problems of the processes that the samples give."""
        if not self._template.samples:
            problem = Problem("no_samples", "the template has no sample answers")
            yield FailedCheck(f"{self._name}.yaml", "", problem)
        for number in range(1, len(self._template.samples) + 1):
            try:
                self._process(number)
            except Malformed as malformed:
                for problem in malformed.problems:
                    yield FailedCheck(f"{self._name}.yaml", f"sample {number}", self._in_template(problem, number))

    def of_scenarios(self) -> Iterator[FailedCheck]:
        """Yield what does not happen as the scenarios expect, and the steps that none of them completes."""
        for number, scenario in enumerate(self._checks.scenarios):
            for path, message in self._differences(scenario):
                problem = Problem("check_failed", message, f"scenarios[{number}].{path}")
                yield self._located(problem, scenario.name)
        for step in self._left_out:
            if step not in self._completed:
                message = f"no scenario completes the step {step}"
                yield self._located(Problem("step_left_out", message, "scenarios"))

    def _differences(self, scenario: Scenario) -> Iterator[tuple[str, str]]:
        """Yield each difference: its path in the scenario, and the message."""
        try:
            shelf, process = self._process(scenario.sample)
            answering = Answering({**self._checks.agents, **scenario.agents})
            stage = Stage(shelf, answering, scenario.people, BEGIN)
            execution = stage.run(process, *start_of(process, scenario))
        except Stuck as stuck:
            yield "expect", str(stuck)
        except Refusal as refusal:
            problems = [f"{each.path}: {each.message}" for each in getattr(refusal, "problems", ())]
            yield "name", "; ".join([refusal.message, *problems])
        else:
            self._left_out |= dict.fromkeys(process.plan.steps)
            self._completed |= {step for step, state in execution.steps.items() if state.status == COMPLETED}
            happened = Happened(execution, stage.events, stage.spending.alerts, answering.notified)
            for path, message in differences(scenario.expect, happened):
                yield f"expect.{path}", message
            for act in stage.unused:
                yield "people", f"{act.by} never decides on {act.step}"

    def _process(self, sample: int) -> tuple[Shelf, StagedProcess]:
        """Return the published process of a sample. Raises Malformed with every problem."""
        if sample not in self._processes:
            self._processes[sample] = published(self._files, self._template, self._checks, sample)
        return self._processes[sample]

    def _in_template(self, problem: Problem, sample: int) -> Problem:
        """Return a problem of an answer, or of the process, with its place in the template."""
        answer = problem.path.removeprefix("parameters.")
        of_answer = answer != problem.path
        path = f"template.samples[{sample - 1}].{answer}" if of_answer else f"process.{problem.path}"
        document = read_document(self._files.templates[self._name])
        return document.locate(msgspec.structs.replace(problem, path=path))

    def _located(self, problem: Problem, check: str = "") -> FailedCheck:
        return FailedCheck(f"{self._name}{CHECKS}", check, self._document.locate(problem))
