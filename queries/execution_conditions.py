"""Conditions of the list of executions that other tables answer: the error, steps, and whether costs are priced."""

from collections.abc import Sequence

from queries.filters import Where

PRICED, UNPRICED, ANY = "priced", "unpriced", "any"
COSTS = (PRICED, UNPRICED, ANY)

_RAN = """exists (select from execution_steps s where s.execution_id = l.execution_id
  and s.step = any(%(ran_steps)s::text[]) and s.status = 'completed')"""
_FAILED_AT = """exists (select from execution_steps s where s.execution_id = l.execution_id
  and s.step = any(%(failed_steps)s::text[]) and s.status in ('failed', 'timed_out'))"""
# A row of the ledger that is not priced has no currency; the correction that prices it takes it back.
_COST = """exists (select from cost_ledger c where c.run_id = l.execution_id {own}
  having {having})"""
_HAVING = {
    PRICED: "sum(c.unpriced) = 0 and bool_or(c.currency <> '' {currency})",
    UNPRICED: "sum(c.unpriced) > 0",
    ANY: "sum(c.unpriced) > 0 or bool_or(c.currency <> '' {currency})",
}


def where_failed(where: Where, codes: Sequence[str], steps: Sequence[str]) -> None:
    """Require one of the errors, and one of the steps at which it failed; nothing without any."""
    where.any_of("l.error_code", codes, "text")
    if steps:
        where.parameters["failed_steps"] = list(steps)
        where.holds("l.status = 'failed'")
        where.holds(_FAILED_AT)


def where_ran(where: Where, steps: Sequence[str]) -> None:
    """Require that one of the steps is completed; nothing without any."""
    if steps:
        where.parameters["ran_steps"] = list(steps)
        where.holds(_RAN)


def where_cost(where: Where, cost: str, currency: str, *, own: bool) -> None:
    """Require a cost of the kind `cost`, one of COSTS. currency: of a priced one; empty for any.

    own: the cost of the execution itself. Default: with those of the executions below it.
    """
    if not cost:
        return
    having = _HAVING[cost].format(currency="and c.currency = %(currency)s" if currency else "")
    where.parameters["currency"] = currency
    where.holds(_COST.format(own="and c.execution_id = l.execution_id" if own else "", having=having))
