"""Expected instants on pages: words and marks of outcomes, and of what is special about a time."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from queries.occurrences import OccurrenceMark, OccurrenceView
from queries.schedule_previews import PreviewedInstant
from web.drawings.ledger import WORDS, LedgerMark

OUTCOMES = {
    "started": "Started",
    "skipped": "Skipped",
    "missed": "Missed",
    "coalesced": "Coalesced",
    "backfilled": "Backfilled",
    "moved": "Moved",
    "waiting": "Waiting",
}
FLAGS = {
    "dst_gap": "clocks go forward",
    "dst_overlap": "clocks go back",
    "short_month": "short month",
    "skipped": "exception, skipped",
    "moved": "exception, moved",
    "coalesced": "exception, joins another run",
}
OVERLAPS = {
    "skip": ("skip the new run", "while one runs"),
    "buffer_one": ("wait for the one before", "at most one waits"),
    "allow": ("run side by side", ""),
    "cancel_running": ("cancel the one before", "and wait for its end"),
}
CATCH_UPS = {
    "latest": "make up for the latest",
    "all": "make up for all",
    "none": "leave them out",
}
# In a strip.
PAST, COMING = 22, 2

WritesTime = Callable[[datetime], str]


def kind_of(occurrence: OccurrenceMark | OccurrenceView, late: timedelta, status: str | None = None) -> str:
    """Return the mark of an instant. late: a longer lateness shows. status: of its execution."""
    if status in ("failed", "timed_out"):
        return "failed"
    behind = timedelta(seconds=occurrence.lateness_seconds or 0)
    return "late" if occurrence.outcome == "started" and behind > late else occurrence.outcome


def past(
    marks: Iterable[OccurrenceMark], clock: WritesTime, late: timedelta, *, linked: bool = False
) -> list[LedgerMark]:
    """Return the marks of instants with an outcome.

    clock: writes a time. late: a longer lateness shows. linked: each leads to its execution.
    """
    found = list[LedgerMark]()
    for each in marks:
        kind = kind_of(each, late, each.status)
        why = f": {each.reason.replace('_', ' ')}" if each.reason else ""
        href = f"/executions/{each.execution_id}" if each.execution_id else f"#at-{each.scheduled_at.timestamp():.0f}"
        found.append(LedgerMark(kind, f"{clock(each.scheduled_at)}, {WORDS[kind]}{why}", href if linked else ""))
    return found


def coming(instants: Iterable[PreviewedInstant], clock: WritesTime) -> list[LedgerMark]:
    """Return the marks of instants that are expected, with what is special about them."""
    return [LedgerMark("expected", ", ".join((clock(each.utc), "expected", *said(each.flags)))) for each in instants]


def said(flags: Iterable[str]) -> list[str]:
    """Return flags in words."""
    return [FLAGS.get(each, each.replace("_", " ")) for each in flags]
