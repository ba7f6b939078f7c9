"""Decisions about the thresholds of a process: pure functions from state, terms and time to events, or a refusal."""

from datetime import datetime
from uuid import UUID

from domain.alerts.events import CostThresholdCleared, CostThresholdSet
from domain.alerts.thresholds import COMMAND, VERSION, Thresholds, ThresholdTerms
from domain.event import Cause, Event, record
from domain.language.types.costs import SPANS
from domain.refusal import NotFound


def set_thresholds(
    thresholds: Thresholds,
    process_id: UUID,
    process: str,
    terms: ThresholdTerms,
    cause: Cause,
    *,
    source: str = COMMAND,
    version: int = 0,
    reason: str = COMMAND,
    counts_from: datetime | None = None,
) -> list[Event]:
    """Put thresholds in force in place of those before; kinds without levels have none. Equal ones stay as they are.

    reason: of what is cleared. counts_from: costs before count for nothing.
    """
    found: list[Event] = []
    for kind in SPANS:
        levels, current = terms.levels.get(kind, ()), thresholds.rules.get(kind)
        if not levels:
            found += [] if current is None else [_cleared(process_id, process, kind, reason, cause)]
            continue
        stated = (levels, terms.timezone, terms.week_starts)
        same = current is not None and (current.levels, current.timezone, current.week_starts) == stated
        if same and (source == COMMAND or current is None or current.source == VERSION):
            continue
        found.append(
            record(
                CostThresholdSet,
                cause,
                process_id=process_id,
                process=process,
                kind=kind,
                levels=list(levels),
                timezone=terms.timezone,
                week_starts=terms.week_starts,
                source=source,
                version=version,
                counts_from=counts_from,
            )
        )
    return found


def clear_threshold(thresholds: Thresholds, process_id: UUID, process: str, kind: str, cause: Cause) -> list[Event]:
    """Take the threshold of one kind out of force; returns no events when there is none. Raises NotFound for a kind."""
    if kind not in SPANS:
        raise NotFound(f"there is no kind of threshold {kind[:40]!r}; there are {', '.join(SPANS)}")
    if kind not in thresholds.rules:
        return []
    return [_cleared(process_id, process, kind, COMMAND, cause)]


def _cleared(process_id: UUID, process: str, kind: str, reason: str, cause: Cause) -> Event:
    return record(CostThresholdCleared, cause, process_id=process_id, process=process, kind=kind, reason=reason)
