"""Amounts of money in answers, and the SQL that collects them."""

import msgspec

COSTS = """coalesce((
  select json_agg(json_build_object('amount', c.amount::text, 'currency', c.currency) order by c.currency)
  from {table} c where {on}), '[]'::json)"""


class Amount(msgspec.Struct, frozen=True, gc=False):
    """Money; amount is an exact decimal."""

    amount: str
    currency: str
