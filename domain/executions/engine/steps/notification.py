"""Notification steps: render a text; a worker delivers it as it calls an agent."""

from typing import Any

import msgspec

from domain.executions.engine.steps.agent_task import schedule
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution, StepState
from domain.language.expressions import EvaluationFailed, Scope, TextTemplate
from domain.masking import Secrets
from domain.processes.plan import PlannedNotification


def begin(unfolding: Unfolding, step: PlannedNotification, attempt: int, visible: Scope) -> bool:
    """Render the message and its recipients, and schedule the delivery. Raises EvaluationFailed."""
    parameters: dict[str, Any] = {"channels": list(step.channels)}
    if step.subject is not None:
        parameters["subject"] = _text(step.subject, visible)
    if step.url is not None:
        parameters["url"] = _text(step.url, visible)
    message = _text(step.message, visible)
    if unfolding.execution.plan.sensitive.any:
        secrets = secrets_of(unfolding.execution)
        message = secrets.masked(message)
        if "subject" in parameters:
            parameters["subject"] = secrets.masked(parameters["subject"])
    recipients = _recipients(step.recipients.render(visible))
    if recipients:
        parameters["recipients"] = recipients
    return schedule(unfolding, step.id, attempt, "", message, parameters)


def begin_again(unfolding: Unfolding, step: PlannedNotification, before: StepState) -> bool:
    """Schedule the same delivery again."""
    return schedule(unfolding, step.id, before.attempt + 1, "", before.message, before.parameters)


def secrets_of(execution: Execution) -> Secrets:
    """Return the sensitive values of an execution, which leave Procession in no notification."""
    secrets, fields = Secrets(), execution.plan.sensitive
    secrets.collect(execution.input, fields.input)
    for id, paths in fields.outputs.items():
        if (step := execution.steps.get(id)) is not None:
            secrets.collect(step.output, paths)
    return secrets


def _text(template: TextTemplate, visible: Scope) -> str:
    rendered = template.render(visible)
    return rendered if isinstance(rendered, str) else msgspec.json.encode(rendered).decode()


def _recipients(rendered: Any) -> list[str]:
    """Return the rendered recipients: one text or a list of texts; a list may hold lists from templates."""
    found: list[str] = []
    for item in rendered if isinstance(rendered, list) else [rendered]:
        inner = item if isinstance(item, list) else [item]
        if not all(isinstance(each, str) and each for each in inner):
            raise EvaluationFailed("recipients_invalid", "recipients are texts, or lists of texts")
        found += inner
    return found
