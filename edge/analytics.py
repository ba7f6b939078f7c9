"""Query parameters of analytics: the window and the filters, of the API as of pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from domain.analytics.windows import LONGEST
from domain.calendar.zones import read_zone
from edge.parameters import SEVERAL, Fresh, Numbers, ProcessReferences, Values, one_of
from edge.references import process_named
from queries.analytics.requests import DEFAULT_DAYS, FiguresFilter, FiguresRequest
from queries.execution_list import TRIGGERS


def _zone(name: str) -> str:
    read_zone(name)
    return name


class WindowParameters(Fresh):
    """The window and the filters of figures of one process."""

    days: Annotated[int, Field(ge=1, le=LONGEST, description="Complete days; today counts besides.")] = DEFAULT_DAYS
    timezone: Annotated[
        str, AfterValidator(_zone), Field(max_length=64, description="The zone whose midnights begin days.")
    ] = "UTC"
    version: Annotated[Numbers, Field(description=f"Published versions. {SEVERAL}")] = []
    trigger: Annotated[Values, one_of(TRIGGERS), Field(description=f"{', '.join(TRIGGERS)}. {SEVERAL}")] = []
    label: Annotated[Values, Field(description=f"Labels of their processes, in the version that ran. {SEVERAL}")] = []
    include_children: Annotated[
        bool,
        Field(
            description="Counts every execution, each with its own cost. Default: those that no other one started, "
            "each with the cost of all below it."
        ),
    ] = False

    def request(self, now: datetime, within: tuple[str, ...], processes: Sequence[UUID] = ()) -> FiguresRequest:
        """Return the request. within: the processes that the caller sees. processes: default: all of these."""
        filter = FiguresFilter(
            tuple(processes),
            tuple(int(each) for each in self.version),
            tuple(self.trigger),
            tuple(self.label),
            self.include_children,
            within,
        )
        return FiguresRequest(now, self.days, self.timezone, filter)


class FiguresParameters(WindowParameters):
    """The window and the filters of figures of several processes."""

    process: ProcessReferences = []

    @property
    def processes(self) -> list[UUID]:
        """The ids of the processes."""
        return [process_named(each) for each in self.process]
