"""What is undone before an execution ends badly; each class is stored under its own name for ever."""

from domain.agents.calls import StepError
from domain.event import Event, stored


@stored("CompensationRequired")
class CompensationRequired(Event, frozen=True, kw_only=True):
    """The execution will not succeed: what its steps did is undone first, and then it ends.

    outcome: ``failed``, because of `error` in `step`, or ``cancelled`` for `reason`.
    """

    outcome: str
    error: StepError | None = None
    step: str | None = None
    reason: str = ""


@stored("CompensationStarted")
class CompensationStarted(Event, frozen=True, kw_only=True):
    """What the completed step did is being undone, by the step ``<step>.compensation``."""

    step: str


@stored("CompensationCompleted")
class CompensationCompleted(Event, frozen=True, kw_only=True):
    """What the step did is undone."""

    step: str


@stored("CompensationFailed")
class CompensationFailed(Event, frozen=True, kw_only=True):
    """What the step did could not be undone; the others are undone all the same."""

    step: str
    error: StepError
