"""The fields of every step, of any type, planned for the engine."""

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from domain.language.expressions import Condition
from domain.language.types.steps.fallback import Fallback
from domain.language.types.steps.retry import PlannedRetry


@dataclass(frozen=True, slots=True)
class Planned:
    """A step ready to run.

    depends_on: step ids as written. incoming: those, and each step that may lead here by a route, on_error or
    on_timeout. dependents: the steps that have this one in incoming. condition None means always. timeout: of one
    attempt; total_timeout: of all, with the waiting between them. on_timeout None: on_error applies. on_error None: the
    execution fails. retry None: nothing is retried. Defaults of the definition are in. compensates: the id of the step
    that this one compensates; None for the steps of the graph.
    """

    id: str
    type: str
    depends_on: tuple[str, ...]
    incoming: tuple[str, ...]
    dependents: tuple[str, ...]
    condition: Condition | bool | None
    timeout: timedelta | None
    total_timeout: timedelta | None
    on_timeout: Fallback | None
    retry: PlannedRetry | None
    on_error: Fallback | None
    compensates: str | None

    def common(self) -> dict[str, Any]:
        """Return the fields common to steps of all types, as arguments of a type."""
        return {field.name: getattr(self, field.name) for field in fields(Planned)}
