"""The steps of a process shaded by what they took over 30 days: time, money, or failed executions."""

import math
from collections.abc import Mapping
from uuid import UUID

import msgspec

from queries.amounts import Amount
from queries.analytics.step_shares import step_failures, step_medians
from queries.reading import Reading, ReadModelRebuilding
from web.drawings.boxes import SHADES
from web.layout import Reader
from web.wording import duration, money

DURATION, COST, FAILURES = "duration", "cost", "failures"
COLOURS = (("Plain", ""), ("Duration", DURATION), ("Cost", COST), ("Failures", FAILURES))
DEFINED = {
    DURATION: "the median time that it worked",
    COST: "the median cost",
    FAILURES: "the number of executions that failed at it",
}


class ShadedSteps(msgspec.Struct, frozen=True):
    """What is written on steps, and how strong their colour is, by id. problem: why there is none; empty for none."""

    notes: dict[str, str] = {}
    shades: dict[str, int] = {}
    problem: str = ""


def shaded_steps(reading: Reading, process_id: UUID, colour: str, reader: Reader) -> ShadedSteps | None:
    """Return the shades of the steps of a process by `colour`; None for a colour that is plain or unknown."""
    if colour not in DEFINED:
        return None
    try:
        if colour == FAILURES:
            counts = step_failures(reading, process_id, reader.now, reader.zone_name)
            return _shaded({step: (number, f"{number:,} failed", "") for step, number in counts.items()})
        found = step_medians(reading, process_id, reader.now, reader.zone_name, costs=colour == COST)
    except ReadModelRebuilding:
        return ShadedSteps(problem="The figures are built anew; the colours follow.")
    return _shaded({step: (value, _note(value, currency), currency) for step, (value, currency) in found.items()})


def _note(value: float, currency: str) -> str:
    return money([Amount(f"{value:.6f}", currency)]).striptags() if currency else duration(value)


def _shaded(figures: Mapping[str, tuple[float, str, str]]) -> ShadedSteps:
    """Return the shades of (value, note, currency) by step; amounts are compared with those of their currency alone."""
    most: dict[str, float] = {}
    for value, _, currency in figures.values():
        most[currency] = max(most.get(currency, 0), value)
    if not any(most.values()):
        return ShadedSteps(problem="No step has such a figure in these 30 days.")
    shades = {step: math.ceil(SHADES * value / (most[currency] or 1)) for step, (value, _, currency) in figures.items()}
    return ShadedSteps({step: note for step, (_, note, _) in figures.items()}, shades)
