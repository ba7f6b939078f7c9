"""Links from figures to the executions behind them: the same path is a page, and under `/api` a list as JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from urllib.parse import urlencode

import msgspec

from domain.analytics.measures import TIME_LIMITS
from domain.listed_values import join_values

EXECUTIONS = "/executions"
_LISTED = frozenset(("failure", "failed_step", "ran_step", "paid_step"))
_CHILDREN = {True: "&include_children=true", False: ""}
_UNDER_WAY = urlencode({"status": "queued,running,compensating"})
_TIMED_OUT = urlencode({"failure": ",".join(sorted(TIME_LIMITS))})


class PeriodLinks(msgspec.Struct, frozen=True, gc=False):
    """Links to the executions of a period. head, tail: what the links of an answer have in common; begin, end: as
    values of a query.
    """

    head: str
    begin: str
    end: str
    tail: str

    def ended(self, filters: str = "") -> str:
        """Return the link to those that ended in the period. filters: further ones, as a part of a query."""
        return f"{self.head}ended_from={self.begin}&ended_to={self.end}{filters}{self.tail}"

    def outcomes(self) -> dict[str, str]:
        """Return the links of the counts by outcome."""
        ended = self.ended()
        return {
            "ended": ended,
            "completed": f"{ended}&status=completed",
            "failed": f"{ended}&status=failed",
            "timed_out": f"{ended}&status=failed&{_TIMED_OUT}",
            "cancelled": f"{ended}&status=cancelled",
        }

    def spent(self, currency: str) -> str:
        """Return the link to those with a call in the period that cost something in a currency, three letters."""
        return f"{self.head}called_from={self.begin}&called_to={self.end}&currency={currency}{self.tail}"


class LinkedExecutions(msgspec.Struct, frozen=True):
    """The filter that the figures of an answer have in common: that of the request, and the period of the end."""

    begin: datetime
    end: datetime
    processes: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    triggers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    include_children: bool = False

    def of_process(self, name: str) -> "LinkedExecutions":
        """Return the filter for one process."""
        return msgspec.structs.replace(self, processes=(name,))

    def of_version(self, version: int) -> "LinkedExecutions":
        """Return the filter for one version."""
        return msgspec.structs.replace(self, versions=(version,))

    def ended(self, **more: str) -> str:
        """Return the link to those that ended in the period. more: further filters, of one value each."""
        given = {name: join_values((value,)) if name in _LISTED else value for name, value in more.items()}
        return self._period.ended(f"&{urlencode(given)}" if given else "")

    def running(self) -> str:
        """Return the link to those that have not ended."""
        head, tail = self.ends
        return f"{head}{_UNDER_WAY}{tail}"

    def outcomes(self) -> dict[str, str]:
        """Return the links of the counts by outcome."""
        return self._period.outcomes()

    def costs(self, currency: str) -> dict[str, str]:
        """Return the links of the counts of a cost in a currency."""
        return {
            "priced": self.ended(status="completed", cost="priced", currency=currency),
            "of": self.ended(status="completed", cost="any", currency=currency),
        }

    def spent(self, currency: str) -> str:
        """Return the link to those with a call in the period that cost something in a currency."""
        return self._period.spent(currency)

    @property
    def _period(self) -> PeriodLinks:
        head, tail = self.ends
        return PeriodLinks(head, _instant(self.begin), _instant(self.end), tail)

    @property
    def ends(self) -> tuple[str, str]:
        """How each link begins and ends."""
        common = _common(self.processes, self.versions, self.triggers, self.labels)
        return f"{EXECUTIONS}?{common}", _CHILDREN[self.include_children]


# The trends of a day that are shown again have the same ones, and a long window has thousands.
@lru_cache(8)
def links_between(
    linked: LinkedExecutions, bounds: tuple[datetime, ...]
) -> tuple[tuple[PeriodLinks, dict[str, str]], ...]:
    """Return the links of each period between two bounds, and those of its counts by outcome."""
    head, tail = linked.ends
    periods = [PeriodLinks(head, begin, end, tail) for begin, end in pairwise(map(_instant, bounds))]
    return tuple((each, each.outcomes()) for each in periods)


@lru_cache(200)
def _common(
    processes: tuple[str, ...], versions: tuple[int, ...], triggers: tuple[str, ...], labels: tuple[str, ...]
) -> str:
    """Return the beginning of the query of every link with these filters."""
    given: dict[str, Sequence[object]] = {
        "process": processes,
        "version": versions,
        "trigger": triggers,
        "label": labels,
    }
    written = urlencode({name: join_values(map(str, values)) for name, values in given.items() if values})
    return f"{written}&" if written else ""


@lru_cache(2_000)
def _instant(at: datetime) -> str:
    """Return an instant as a value of a query."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ")
