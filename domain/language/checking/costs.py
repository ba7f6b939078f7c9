"""Costs: consistency of their levels."""

from domain.language.reading.nodes import Mapping, Node, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.language.types.costs import CANCEL, SPANS
from domain.money import Money, parse_money


def check_costs(root: Mapping, problems: Problems) -> None:
    """Note levels of a span that do not rise or differ in currency, and fields of a span without levels."""
    costs = root.entries.get("costs")
    if not isinstance(costs, Mapping):
        return
    for span in SPANS:
        levels = costs.entries.get(span)
        listed = levels.items if isinstance(levels, Sequence) else []
        _check_levels(listed, problems)
        if span != "per_execution":
            _check_acts(listed, span, problems)
    if "weekly" not in costs.entries:
        _unused(costs, "week_starts", "without `weekly`", problems)
        if "daily" not in costs.entries:
            _unused(costs, "timezone", "without `daily` or `weekly`", problems)


def _check_levels(levels: list[Node], problems: Problems) -> None:
    currency: str | None = None
    highest: Money | None = None
    for level in levels:
        if not isinstance(level, Mapping) or (money := _money(level)) is None:
            continue  # malformed levels are reported at their own location
        currency = currency or money.currency
        if money.currency != currency:
            message = f"levels of one list are in one currency, and the first is in {currency}"
            problems.add("currency_differs", message, level.entries["currency"])
        elif highest is not None and money.amount <= highest.amount:
            message = "each level is higher than the one before it"
            problems.add("amounts_not_rising", message, level.entries["amount"])
        else:
            highest = money


def _check_acts(levels: list[Node], span: str, problems: Problems) -> None:
    for level in levels:
        act = level.entries.get("on_alert") if isinstance(level, Mapping) else None
        if act is not None and text_of(act) == CANCEL:
            message = f"`{CANCEL}` is for `per_execution`: a `{span}` total is of no single execution"
            problems.add("invalid_value", message, act)


def _money(level: Mapping) -> Money | None:
    try:
        return parse_money(text_of(level.entries.get("amount")), text_of(level.entries.get("currency")))
    except ValueError:
        return None


def _unused(part: Mapping, field: str, when: str, problems: Problems) -> None:
    if field in part.entries:
        message = f"`{field}` means nothing {when}, it is ignored"
        problems.add("unused_field", message, part.keys.get(field, part), severity="warning")
