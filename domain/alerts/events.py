"""Events of cost thresholds and cost alerts; each class is stored under its own name for ever."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from domain.alerts.windows import CostWindow
from domain.event import Event, stored


class ThresholdLevel(msgspec.Struct, frozen=True, omit_defaults=True):
    """One level of a threshold. warn_at: the fraction of the amount at which there is a warning; None: none.

    on_alert: the act at the alert, ``pause_schedules`` or ``cancel_execution``; empty for none.
    """

    amount: Decimal
    currency: str
    warn_at: Decimal | None = None
    on_alert: str = ""


class AlertCrossing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event that reached the amount, by its position in the log; without an execution, it set the threshold."""

    position: int
    execution_id: UUID | None = None
    step: str = ""


class AlertContributor(msgspec.Struct, frozen=True):
    """A step and what it had cost when the alert was raised. costs: the number of bookings."""

    process: str
    step: str
    amount: Decimal
    costs: int


@stored("CostThresholdSet")
class CostThresholdSet(Event, frozen=True, kw_only=True):
    """Costs of one kind have these levels from now on, in place of those before.

    kind: ``per_execution``, ``daily`` or ``weekly``. source: ``version`` (of the process, `version`) or ``command``.
    counts_from: costs of calls before count for nothing; None: all count.
    """

    process_id: UUID
    process: str
    kind: str
    levels: list[ThresholdLevel]
    timezone: str = "UTC"
    week_starts: str = "monday"
    source: str
    version: int = 0
    counts_from: datetime | None = None


@stored("CostThresholdCleared")
class CostThresholdCleared(Event, frozen=True, kw_only=True):
    """Costs of one kind have no threshold any more; reason: ``command``, ``published`` or ``archived``."""

    process_id: UUID
    process: str
    kind: str
    reason: str


@stored("CostAlertRaised")
class CostAlertRaised(Event, frozen=True, kw_only=True):
    """A total of costs reached the amount of a level, or does so again after a correction.

    rule: the number of the CostThresholdSet in the stream of thresholds. level: ``warning`` or ``alert``. amount: what
    was reached; limit: the amount of the alert of this level. before, after: the total around the crossing event.
    contributors: the costliest steps. unpriced: costs that are not known. late: the window is over. resolves_at: when
    the alert ends by itself.
    """

    process_id: UUID
    process: str
    kind: str
    rule: int
    level: str
    amount: Decimal
    limit: Decimal
    currency: str
    source: str
    version: int = 0
    execution_id: UUID | None = None
    window: CostWindow | None = None
    crossing: AlertCrossing
    before: Decimal
    after: Decimal
    contributors: list[AlertContributor] = []
    unpriced: int = 0
    from_correction: bool = False
    late: bool = False
    on_alert: str = ""
    resolves_at: datetime | None = None


@stored("CostAlertAcknowledged")
class CostAlertAcknowledged(Event, frozen=True, kw_only=True):
    """A user has seen the alert."""

    note: str = ""


@stored("CostAlertDismissed")
class CostAlertDismissed(Event, frozen=True, kw_only=True):
    """The alert is of no interest; its window, or its execution, raises no other one at this level."""

    note: str = ""


@stored("CostAlertSnoozed")
class CostAlertSnoozed(Event, frozen=True, kw_only=True):
    """The alert is open again from `until` on."""

    until: datetime
    note: str = ""


@stored("CostAlertResolved")
class CostAlertResolved(Event, frozen=True, kw_only=True):
    """The alert is over; reason: ``window_ended``, ``threshold_replaced``, ``threshold_cleared`` or ``correction``.

    from_correction: a corrected cost brought the total below the amount again.
    """

    reason: str
    from_correction: bool = False


@stored("CostAlertActed")
class CostAlertActed(Event, frozen=True, kw_only=True):
    """The act that the threshold requests was carried out. act: ``pause_schedules`` or ``cancel_execution``.

    done: how many schedules were paused or executions cancelled. refusal: why it was not possible.
    """

    act: str
    done: int = 0
    refusal: str = ""
