"""Checks of one template: each sample renders a process that is valid, and each scenario ends as expected."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from app.documents import Document, read_document
from app.template_checks.answering import Answering
from app.template_checks.comparing import Happened, differences
from app.template_checks.files import TemplateFiles
from app.template_checks.scenarios import Checks, ProcessBeside, Scenario, read_checks
from app.template_checks.shelf import Shelf, StagedProcess
from app.template_checks.stage import Stage, Stuck
from domain.event import Cause
from domain.executions.events.execution import Trigger
from domain.language.types.triggers import TriggerDefinition, WebhookTrigger
from domain.processes.plan import accept_input
from domain.refusal import Malformed, Problem, Refusal
from domain.templates.answers import check_answers
from domain.templates.reading import read_template
from domain.templates.substitution import render
from domain.templates.template import Template

# A Monday; no check depends on the day on which it runs.
BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class FailedCheck(msgspec.Struct, frozen=True):
    """A failed check. file: the name of the text that the problem is located in. check: the sample or the scenario."""

    file: str
    check: str
    problem: Problem


class Checked(msgspec.Struct, frozen=True):
    """The checks of one template, and how many of them there were."""

    template: str
    samples: int
    scenarios: int
    found: tuple[FailedCheck, ...]


def check_template(files: TemplateFiles, name: str) -> Checked:
    """Run all checks of a template."""
    template_file, checks_file = f"{name}.yaml", f"{name}.check.yaml"
    reading = read_template(files.templates[name])
    if reading.template is None:
        return Checked(name, 0, 0, tuple(FailedCheck(template_file, "", problem) for problem in reading.problems))
    template, text = reading.template, files.checks.get(name)
    found = [FailedCheck(template_file, "", problem) for problem in reading.problems]
    if not template.samples:
        found.append(
            FailedCheck(template_file, "", Problem("no_samples", "the template has no sample answers", "samples"))
        )
    if text is None:
        missing = Problem("no_checks", f"the template has no file {checks_file}")
        return Checked(name, len(template.samples), 0, (*found, FailedCheck(template_file, "", missing)))
    try:
        checks, document = read_checks(text), read_document(text)
    except Malformed as malformed:
        broken = [FailedCheck(checks_file, "", problem) for problem in malformed.problems]
        return Checked(name, len(template.samples), 0, (*found, *broken))
    for number in range(1, len(template.samples) + 1):
        check = f"sample {number}"
        found += [FailedCheck(template_file, check, each) for each in _sample_problems(files, template, checks, number)]
    if not found:
        for n, scenario in enumerate(checks.scenarios):
            located = _located(_scenario_problems(files, template, checks, scenario), document, n)
            found += [FailedCheck(checks_file, scenario.name, problem) for problem in located]
    return Checked(name, len(template.samples), len(checks.scenarios), tuple(found))


def _sample_problems(files: TemplateFiles, template: Template, checks: Checks, number: int) -> list[Problem]:
    """Return the problems of the process that a sample gives."""
    try:
        _publish(files, template, checks, number)
    except Malformed as malformed:
        return malformed.problems or [Problem(malformed.code, malformed.message)]
    return []


def _scenario_problems(
    files: TemplateFiles, template: Template, checks: Checks, scenario: Scenario
) -> Iterator[tuple[str, str]]:
    """Yield what is not as the scenario expects: the path below the scenario, and the message."""
    if not 1 <= scenario.sample <= len(template.samples):
        yield "sample", f"the template has {len(template.samples)} samples"
        return
    try:
        shelf, published = _publish(files, template, checks, scenario.sample)
        answering = Answering({**checks.agents, **scenario.agents})
        stage = Stage(shelf, answering, scenario.people, BEGIN)
        execution = stage.run(published, *_start(published, scenario))
    except Stuck as stuck:
        yield "expect", str(stuck)
    except Refusal as refusal:
        problems = "; ".join(f"{each.path}: {each.message}" for each in getattr(refusal, "problems", ()))
        yield "name", f"{refusal.message}{problems and f': {problems}'}"
    else:
        happened = Happened(execution, stage.events, stage.spending.alerts, answering.notified)
        for path, message in differences(scenario.expect, happened):
            yield f"expect.{path}", message
        for act in stage.unused:
            yield "people", f"{act.by} never decides on {act.step}"


def _publish(files: TemplateFiles, template: Template, checks: Checks, sample: int) -> tuple[Shelf, StagedProcess]:
    """Publish the process of a sample, and before it those that it calls. Raises Malformed with every problem."""
    shelf, cause = Shelf(checks.agents), Cause(BEGIN, "user:check")
    for name, beside in checks.processes.items():
        shelf.publish(_beside(files, name, beside), cause)
    return shelf, shelf.publish(_rendered(template, sample, None), cause)


def _beside(files: TemplateFiles, name: str, beside: ProcessBeside) -> str:
    reading = read_template(files.templates[beside.template])
    if reading.template is None:
        raise Malformed(f"the template {beside.template} is not valid", list(reading.problems))
    return _rendered(reading.template, beside.sample, name)


def _rendered(template: Template, sample: int, name: str | None) -> str:
    """Return the text of the process that a sample gives. Raises Malformed with every problem."""
    answers = check_answers(template.parameters, template.samples[sample - 1])
    if answers.problems:
        raise Malformed(f"sample {sample} is not valid", list(answers.problems))
    return render(template, answers.values, name).yaml


def _start(published: StagedProcess, scenario: Scenario) -> tuple[dict[str, Any], Trigger]:
    """Return the input and the trigger of the execution. Raises Malformed."""
    if scenario.trigger is None:
        return accept_input(published.plan.input_spec, scenario.input), Trigger()
    triggers: Mapping[str, TriggerDefinition] = {each.id: each for each in published.definition.triggers}
    trigger = triggers.get(scenario.trigger)
    if trigger is None:
        message = f"there is no trigger {scenario.trigger!r}; there are {', '.join(triggers) or 'none'}"
        raise Malformed(message, [Problem("unknown_trigger", message, "trigger")])
    spec, given = published.plan.input_spec.bare, {**trigger.input, **scenario.input}
    if isinstance(trigger, WebhookTrigger) and isinstance(scenario.payload, dict):
        declared = spec.fields
        given |= {name: each for name, each in scenario.payload.items() if declared is None or name in declared}
    at = BEGIN if trigger.type == "schedule" else None
    return accept_input(spec, given), Trigger(trigger.type, trigger.id, scenario.payload, at)


def _located(found: Iterator[tuple[str, str]], document: Document, scenario: int) -> Iterator[Problem]:
    for path, message in found:
        yield document.locate(Problem("check_failed", message, f"scenarios[{scenario}].{path}"))
