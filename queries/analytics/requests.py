"""Requests for figures: a window and filters, and the links that the figures of an answer have in common."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.analytics.windows import AnalyticsWindow, analytics_window
from queries.analytics.figures import FiguresWindow
from queries.analytics.links import LinkedExecutions

DEFAULT_DAYS = 30


class FiguresFilter(msgspec.Struct, frozen=True):
    """A filter of figures: OR within a field, AND between fields.

    include_children: each execution counts, with its own cost. Default: those that no other one started, each with
    the cost of its tree. within: names of processes or their beginnings, as ``claims-*``.
    """

    process_ids: tuple[UUID, ...] = ()
    versions: tuple[int, ...] = ()
    triggers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    include_children: bool = False
    within: tuple[str, ...] = ()

    @property
    def has_all(self) -> bool:
        """Whether it leaves out no process, version and trigger."""
        return not (self.process_ids or self.versions or self.triggers or self.labels or self.within)


class FiguresRequest(msgspec.Struct, frozen=True):
    """A window of `days` complete days and today in a zone, as `now` is, and a filter."""

    now: datetime
    days: int = DEFAULT_DAYS
    timezone: str = "UTC"
    filter: FiguresFilter = FiguresFilter()

    @property
    def window(self) -> AnalyticsWindow:
        """The window. Raises ValueError."""
        return analytics_window(self.days, self.timezone, self.now)

    def links(self, window: AnalyticsWindow) -> LinkedExecutions:
        """Return what the links of the answer have in common."""
        given = self.filter
        return LinkedExecutions(
            window.begin,
            window.end,
            tuple(map(str, given.process_ids)),
            given.versions,
            given.triggers,
            given.labels,
            given.include_children,
        )

    def shown(self, window: AnalyticsWindow) -> FiguresWindow:
        """Return the window as the answer states it."""
        return FiguresWindow(window.begin, window.end, window.begin_before, window.today, self.timezone, self.days)
