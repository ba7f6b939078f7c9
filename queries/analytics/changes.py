"""Changes of figures against the period before, and which direction is good."""

from decimal import Decimal

from domain.analytics.definitions import DEFINITIONS, HIGHER
from queries.analytics.figures import FigureChange

Figure = float | int | Decimal | None


def change(name: str, now: Figure, before: Figure) -> FigureChange:
    """Return the change of the figure whose definition is `name`."""
    if now is None or before is None:
        return FigureChange(_number(now), _number(before), None, None)
    difference = float(now - before)  # type: ignore[operator]
    good = DEFINITIONS[name].good
    is_good = None if good is None or not difference else (difference > 0) == (good == HIGHER)
    return FigureChange(_number(now), _number(before), difference, is_good)


def _number(figure: Figure) -> float | None:
    return None if figure is None else float(figure)
