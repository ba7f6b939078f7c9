"""From a template and one of its samples to a process that is published in memory, and the start of an execution."""

from datetime import UTC, datetime
from typing import Any

from app.template_checks.files import TemplateFiles
from app.template_checks.scenarios import Checks, ProcessBeside, Scenario
from app.template_checks.shelf import Shelf, StagedProcess
from domain.event import Cause
from domain.executions.events.execution import Trigger
from domain.language.types.triggers import WebhookTrigger
from domain.processes.plan import accept_input
from domain.refusal import Malformed, Problem
from domain.templates.answers import check_answers
from domain.templates.reading import read_template
from domain.templates.substitution import render
from domain.templates.template import Template

# A Monday; no check depends on the day on which it runs.
BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def published(files: TemplateFiles, template: Template, checks: Checks, sample: int) -> tuple[Shelf, StagedProcess]:
    """Publish the process of a sample, and before it those that it calls. Raises Malformed with every problem."""
    shelf, cause = Shelf(checks.agents), Cause(BEGIN, "user:check")
    for name, beside in checks.processes.items():
        shelf.publish(_beside(files, name, beside), cause)
    return shelf, shelf.publish(_rendered(template, sample, None), cause)


def start_of(process: StagedProcess, scenario: Scenario) -> tuple[dict[str, Any], Trigger]:
    """Return the input and the trigger of an execution. Raises Malformed."""
    spec = process.plan.input_spec
    if scenario.trigger is None:
        return accept_input(spec, scenario.input), Trigger()
    triggers = {each.id: each for each in process.definition.triggers}
    trigger = triggers.get(scenario.trigger)
    if trigger is None:
        message = f"there is no trigger {scenario.trigger!r}; there are {', '.join(triggers) or 'none'}"
        raise Malformed(message, [Problem("unknown_trigger", message, "trigger")])
    given = {**trigger.input, **scenario.input}
    if isinstance(trigger, WebhookTrigger) and isinstance(scenario.payload, dict):
        declared = spec.bare.fields
        given |= {name: each for name, each in scenario.payload.items() if declared is None or name in declared}
    at = BEGIN if trigger.type == "schedule" else None
    return accept_input(spec.bare, given), Trigger(trigger.type, trigger.id, scenario.payload, at)


def _beside(files: TemplateFiles, name: str, beside: ProcessBeside) -> str:
    """Return the text of a process that the one under test calls. Raises Malformed."""
    text = files.templates.get(beside.template)
    reading = None if text is None else read_template(text)
    if reading is None or reading.template is None:
        message = f"there is no valid template {beside.template!r} to make the process {name!r} from"
        raise Malformed(message, [Problem("unknown_template", message)])
    return _rendered(reading.template, beside.sample, name)


def _rendered(template: Template, sample: int, name: str | None) -> str:
    """Return the text of the process that a sample gives. Raises Malformed with every problem."""
    if not 1 <= sample <= len(template.samples):
        message = f"the template {template.name_id} has {len(template.samples)} samples"
        raise Malformed(message, [Problem("unknown_sample", message)])
    answers = check_answers(template.parameters, template.samples[sample - 1])
    if answers.problems:
        raise Malformed(f"sample {sample} is not valid", list(answers.problems))
    return render(template, answers.values, name).yaml
