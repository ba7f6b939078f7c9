"""Conditions of the list of executions that other tables answer: the error, steps, and whether costs are priced."""

from collections.abc import Sequence
from datetime import datetime

from queries.filters import Where

PRICED, UNPRICED, ANY = "priced", "unpriced", "any"
LEDGER, DETAIL = "cost_ledger", "execution_detail"
COSTS = (PRICED, UNPRICED, ANY)
NO_STEP = "-"
LONGEST_CODE = 200
_IN_CURRENCY = "and c.currency = %(currency)s"

# The id of a step inside another one begins with that of the other: figures name it so.
_PLACE = "case when l.body is null then s.step else l.body || '/' || s.step end"
_RAN = f"""exists (select from execution_steps s where s.execution_id = l.execution_id
  and {_PLACE} = any(%(ran_steps)s::text[]) and s.status = 'completed')"""
# A step whose uses are all priced, and that cost something.
_PAID = f"""exists (select from execution_steps s join execution_step_costs c using (execution_id, step)
  where s.execution_id = l.execution_id and {_PLACE} = any(%(paid_steps)s::text[]) and s.status = 'completed'
  and s.unpriced = 0 {{currency}})"""
# A row of the ledger that is not priced has no currency; the correction that prices it takes it back.
_COST = """exists (select from cost_ledger c where c.run_id = l.execution_id {own}
  having {having})"""
_CALLED = """exists (select from cost_ledger c where c.run_id = l.execution_id {own} and c.currency <> '' {currency}
  {begin} {end})"""
_HAVING = {
    PRICED: "sum(c.unpriced) = 0 and bool_or(c.currency <> '' {currency})",
    UNPRICED: "sum(c.unpriced) > 0",
    ANY: "bool_or(c.currency <> '' {currency}) or (sum(c.unpriced) > 0 and not bool_or(c.currency <> ''))",
}


def where_failed(where: Where, codes: Sequence[str], steps: Sequence[str]) -> None:
    """Require one of the errors, and one of the steps at which it failed, NO_STEP for none; nothing without any."""
    short = [code for code in codes if len(code) < LONGEST_CODE]
    if len(short) == len(codes):
        where.any_of("l.error_code", short, "text")
    else:  # a code as long as this stands for all that begin with it, as in figures
        where.any_of(f"left(l.error_code, {LONGEST_CODE})", codes, "text")
    place = "case when l.body is null or l.error_step = '' then l.error_step else l.body || '/' || l.error_step end"
    where.any_of(place, ["" if step == NO_STEP else step for step in steps], "text")


def where_ran(where: Where, ran: Sequence[str], paid: Sequence[str], currency: str) -> None:
    """Require that a step of `ran` is completed, and one of `paid`, with a price for all its uses; nothing without any.

    currency: of the cost of `paid`; empty for any.
    """
    if ran:
        where.parameters["ran_steps"] = list(ran)
        where.holds(_RAN)
    if paid:
        where.parameters.update(paid_steps=list(paid), currency=currency)
        where.holds(_PAID.format(currency=_IN_CURRENCY if currency else ""))


def where_cost(where: Where, cost: str, currency: str, *, own: bool) -> None:
    """Require a cost of the kind `cost`, one of COSTS. currency: of a priced one; empty for any.

    own: the cost of the execution itself. Default: with those of the executions below it.
    """
    if not cost:
        return
    having = _HAVING[cost].format(currency=_IN_CURRENCY if currency else "")
    where.parameters["currency"] = currency
    where.holds(_COST.format(own="and c.execution_id = l.execution_id" if own else "", having=having))


def where_called(where: Where, begin: datetime | None, end: datetime | None, currency: str, *, own: bool) -> None:
    """Require a priced call in a period, begin ≤ its time < end; nothing without both. currency, own: as for a cost."""
    if begin is None and end is None:
        return
    where.parameters.update(called_from=begin, called_to=end, currency=currency)
    condition = _CALLED.format(
        own="and c.execution_id = l.execution_id" if own else "",
        currency=_IN_CURRENCY if currency else "",
        begin="" if begin is None else "and c.at >= %(called_from)s",
        end="" if end is None else "and c.at < %(called_to)s",
    )
    where.holds(condition)
    where.add("l.started_at < {}", end)  # an execution that began later has no such call
