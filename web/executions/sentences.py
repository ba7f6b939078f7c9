"""What each event means, in a sentence for people: the first one of the description of its class."""

import re
from inspect import getdoc

from domain.catalogue import EVENTS

_END = re.compile(r"[.;:](?:\s|$)")
_FIELDS_NAMED = {
    "CompensationStarted": "The compensation of a completed step begins",
    "CostCorrected": "The cost of an attempt is another one after all",
    "StepDiverted": "The step did not succeed, and the process continues at another one",
    "StepRetryScheduled": "Another attempt is due after a pause",
    "TimerStarted": "A timer step was reached and waits",
}
"""In place of sentences that name fields of the event."""


def sentence(type: str) -> str:
    """Return what an event of this stored name means; nothing for one of another release."""
    kind = EVENTS.get(type)
    if kind is None or type in _FIELDS_NAMED:
        return _FIELDS_NAMED.get(type, "")
    return _END.split(" ".join((getdoc(kind) or "").split()))[0]
