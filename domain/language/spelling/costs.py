"""Costs: their short forms."""

from domain.language.reading.nodes import Mapping, Sequence
from domain.language.reading.problems import Problems
from domain.language.spelling.weekdays import IN_FULL, respell_weekday
from domain.language.types.costs import SPANS


def respell_costs(root: Mapping, problems: Problems) -> None:
    """Rewrite one level as a list of one, `mon` as `monday`."""
    costs = root.entries.get("costs")
    if not isinstance(costs, Mapping):
        return
    for span in SPANS:
        level = costs.entries.get(span)
        if isinstance(level, Mapping):
            costs.entries[span] = Sequence(level.line, level.column, costs, span, items=[level])
    respell_weekday(costs.entries.get("week_starts"), IN_FULL, problems)
