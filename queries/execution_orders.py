"""The orders of the list of executions, each by an index, and the cursors that continue in them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

import msgspec

from queries.amounts import Amount
from queries.epochs import require_held
from queries.filters import Where
from queries.paging import LARGEST, bad_cursor, read_key, write_cursor
from queries.reading import Reading

NEWEST, DEAREST = "newest", "-cost"
DEFAULT_CURRENCY = "USD"
LONGEST_AMOUNT = 60
_MICROSECOND = timedelta(microseconds=1)


class Ordered(Protocol):
    """The columns of a row that an order needs."""

    @property
    def position(self) -> int: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def cost(self) -> msgspec.Raw: ...


class ExecutionOrder(msgspec.Struct, frozen=True):
    """An order. kind: of its cursors. by: the column before the position; empty: the position alone.

    write, read: the value of that column in a cursor. Executions without one are not in the list: `stated` requires it.
    joined: the table of that column, if it is not that of the list.
    """

    kind: str
    descending: bool = True
    by: str = ""
    write: Callable[[Ordered], str] = lambda row: ""
    read: Callable[[str], Any] = str
    stated: str = "l.ended_at is not null"
    joined: str = ""

    @property
    def sql(self) -> str:
        """Return the order for a query."""
        way = "desc" if self.descending else "asc"
        return f"{self.by} {way}, l.position {way}" if self.by else f"l.position {way}"

    def cursor(self, row: Ordered, epoch: str | None) -> str:
        """Return the cursor that continues after a row. epoch: of its position."""
        key = f"{row.position} {self.write(row)}" if self.by else row.position
        return write_cursor(self.kind, key, epoch)

    def limit(self, where: Where, cursor: str | None, reading: Reading) -> None:
        """Require a row after the cursor. Raises BadCursor or LogWentBack."""
        if self.by:
            where.holds(self.stated)
        if cursor is None:
            return
        key, epoch = read_key(self.kind, cursor)
        position, _, value = key.partition(" ")
        if not (position.isascii() and position.isdigit() and len(position) <= 19 and int(position) <= LARGEST):
            raise bad_cursor()
        require_held(reading.progress, epoch, int(position))
        try:
            columns, values = (("l.position",), (int(position),))
            if self.by:
                columns, values = (self.by, *columns), (self.read(value), *values)  # type: ignore[assignment]
        except (ValueError, OverflowError, InvalidOperation):
            raise bad_cursor() from None
        (where.before if self.descending else where.beyond)(columns, values)


def _read_end(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at


def _write_end(row: Ordered) -> str:
    assert row.ended_at is not None
    return row.ended_at.astimezone(UTC).isoformat()


def _write_duration(row: Ordered) -> str:
    assert row.ended_at is not None
    return str((row.ended_at - row.started_at) // _MICROSECOND)


def _read_duration(text: str) -> timedelta:
    return timedelta(microseconds=int(text))


def _read_amount(text: str) -> Decimal:
    amount = Decimal(text)
    if len(text) > LONGEST_AMOUNT or not amount.is_finite() or abs(amount.adjusted()) > LONGEST_AMOUNT:
        raise ValueError("no amount")
    return amount


def dearest(currency: str = DEFAULT_CURRENCY) -> ExecutionOrder:
    """Return the order by the own cost in a currency, the dearest first. Executions without such a cost are left out.

    The query states the currency as `order_currency`.
    """

    def write(row: Ordered) -> str:
        return next(each.amount for each in _amounts(row.cost) if each.currency == currency)

    joined = " join execution_list_costs o on o.execution_id = l.execution_id and o.currency = %(order_currency)s"
    return ExecutionOrder("xc", by="o.amount", write=write, read=_read_amount, stated="true", joined=joined)


_amounts = msgspec.json.Decoder(list[Amount]).decode
ORDERS = {
    NEWEST: ExecutionOrder("x"),
    "oldest": ExecutionOrder("xo", descending=False),
    "ended": ExecutionOrder("xe", by="l.ended_at", write=_write_end, read=_read_end),
    "longest": ExecutionOrder("xd", by="(l.ended_at - l.started_at)", write=_write_duration, read=_read_duration),
    DEAREST: dearest(),
}
"""By name: ``newest`` and ``oldest`` by start, ``ended`` and ``longest`` of those that have ended, ``-cost`` by cost.
"""
