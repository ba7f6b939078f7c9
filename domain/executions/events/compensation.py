"""Events of compensation, before an execution ends; each class is stored under its own name for ever."""

from domain.agents.calls import StepError
from domain.event import Event, stored


@stored("CompensationRequired")
class CompensationRequired(Event, frozen=True, kw_only=True):
    """The execution will not succeed: its completed steps are compensated first, and then it ends.

    outcome: ``failed``, because of `error` in `step`, or ``cancelled`` for `reason`.
    """

    outcome: str
    error: StepError | None = None
    step: str | None = None
    reason: str = ""


@stored("CompensationStarted")
class CompensationStarted(Event, frozen=True, kw_only=True):
    """The compensation of a completed step begins, as the step ``<step>.compensation``."""

    step: str


@stored("CompensationCompleted")
class CompensationCompleted(Event, frozen=True, kw_only=True):
    """The step is compensated."""

    step: str


@stored("CompensationFailed")
class CompensationFailed(Event, frozen=True, kw_only=True):
    """The compensation of the step failed; the other steps are compensated all the same."""

    step: str
    error: StepError
