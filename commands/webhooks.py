"""The process that a webhook trigger starts, and its input."""

from typing import Any

import msgspec

from commands.executions import StartExecution
from commands.plans import Plans
from domain.executions.events.execution import Trigger
from domain.identity import trigger_id
from domain.language.types.triggers import WebhookTrigger
from domain.processes.claims import fold
from domain.processes.plan import Plan
from domain.refusal import Forbidden, NotFound
from store.log import Log


class Webhook(msgspec.Struct, frozen=True):
    """A webhook trigger of the latest published version."""

    plan: Plan
    trigger: WebhookTrigger

    def starting(self, payload: Any) -> StartExecution:
        """Return the command for a delivery. Of an object, only the fields that are declared as input count.

        Raises Forbidden (trigger_disabled).
        """
        if not self.trigger.enabled:
            raise Forbidden(f"the trigger {self.trigger.id!r} is switched off", code="trigger_disabled")
        declared = self.plan.input_spec.fields
        brought = payload if isinstance(payload, dict) else {}
        input = {name: value for name, value in brought.items() if declared is None or name in declared}
        started_by = Trigger("webhook", self.trigger.id, payload)
        return StartExecution(self.plan.process_id, {**self.trigger.input, **input}, self.plan.version, started_by)


class Webhooks:
    """Webhook triggers by their ids, found in the log itself: a version published a moment ago counts."""

    def __init__(self, log: Log, plans: Plans) -> None:
        self._log = log
        self._plans = plans

    def find(self, trigger: str) -> Webhook:
        """Return the webhook trigger with an id. Raises NotFound, or Forbidden when its process is archived."""
        claim = fold(self._log.stream(trigger_id(trigger)))
        if claim is not None:
            published = self._plans.latest(claim.process_id, fresh=True).process
            if published.latest:
                plan, _ = self._plans.startable(claim.process_id, None)
                if trigger in plan.webhooks:
                    return Webhook(plan, plan.webhooks[trigger])
        raise NotFound("there is no such webhook trigger")
