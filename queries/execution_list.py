"""The list of executions."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from queries.amounts import COSTS
from queries.exchange import Question
from queries.execution_conditions import DETAIL, LEDGER, where_called, where_cost, where_failed, where_ran
from queries.execution_orders import DEAREST, DEFAULT_CURRENCY, NEWEST, ORDERS, dearest
from queries.filters import Where
from queries.labels import labelled_versions
from queries.paging import DEFAULT_LIMIT, Page, page_of, write_cursor
from queries.reading import Freshness, Reading, fetch
from queries.waits import COLUMNS, Wait, decode_waits, waits_of_execution, where_waiting_for

LIST = "execution_list"
SUB_PROCESS = "sub_process"
TRIGGERS = ("manual", "webhook", "schedule", SUB_PROCESS)
STATUSES = ("queued", "running", "compensating", "completed", "failed", "cancelled")
UNDER_WAY = ("queued", "running", "compensating")

_LIST = f"""
select l.position, l.execution_id, l.process_id, l.process, l.version, l.status, l.trigger, l.actor, l.parent_id,
  coalesce(l.root_id, l.execution_id) as root_id, coalesce(l.depth, 0) as depth, l.started_at, l.ended_at,
  l.parent_step, l.body, l.item, l.item_key as key, l.round,
  extract(epoch from l.ended_at - l.started_at)::float8 as duration, l.steps, l.steps_done, l.steps_failed,
  l.error_code, l.error_message, coalesce(l.input_tokens, 0) as input_tokens,
  coalesce(l.output_tokens, 0) as output_tokens,
  {COSTS.format(table="execution_list_costs", on="c.execution_id = l.execution_id")} as cost,
  {COLUMNS}
from execution_list l{{joined}} where {{where}} order by {{order}} limit {{rows}}"""

_FAILED = """select l.execution_id, l.process, l.ended_at, l.error_code, l.error_message, l.position
from execution_list l where {where} order by {order} limit {rows}"""
# One probe of the index by status for each: an order by position alone would pass every execution that has ended.
_FIRST_OF_EACH = " union all ".join(
    f"(select position from execution_list where status = '{status}' and parent_id is null"
    " order by position limit {rows})"
    for status in UNDER_WAY
)

MATCHES = 1_000
# The operators of the index, so that a plan for any parameters uses it; the array is read first, and once.
_ENDING = f"""l.execution_id = any(array(
  select e.execution_id from execution_list e
  where reverse(e.execution_id::text) ~>=~ %(end_from)s and reverse(e.execution_id::text) ~<~ %(end_to)s
  limit {MATCHES}))"""

# The log alone has the whole list of a batch, of some thousand executions at most.
_IN_BATCHES = """l.execution_id = any(array(
  select json_array_elements_text(convert_from(e.state, 'UTF8')::json -> 'executions')::uuid from stored_events e
  where e.originator_id = any(%(batches)s) and e.topic = 'BatchExecutionsListed'))"""


class ErrorSummary(msgspec.Struct, frozen=True):
    """The error of a failed execution, in short."""

    code: str
    message: str


class ExecutionSummary(msgspec.Struct, frozen=True):
    """An execution in the list. duration in seconds, None while it runs; cost: its own, one amount a currency.

    waiting_for: the first 20 things that it waits for, people first. waiting_count: how many there are.

    parent_id: the execution that started it. An execution without one is its own root, at depth 0. body: the steps that
    run, by their path in the version, None for the process itself. item: its position in the list that the parent goes
    through, from 0, with its key; round: from 1, where the parent repeats it.
    """

    execution_id: UUID
    process_id: UUID
    process: str
    version: int
    status: str
    trigger: str
    actor: str | None
    parent_id: UUID | None
    root_id: UUID
    depth: int
    started_at: datetime
    ended_at: datetime | None
    duration: float | None
    steps: int
    steps_done: int
    steps_failed: int
    input_tokens: int
    output_tokens: int
    cost: msgspec.Raw
    error: ErrorSummary | None
    waiting_for: list[Wait]
    waiting_count: int
    position: int
    parent_step: str | None = None
    body: str | None = None
    item: int | None = None
    key: str | None = None
    round: int | None = None


class FailedExecution(msgspec.Struct, frozen=True):
    """A failed execution that no other one started, in short; the other fields are those of such a summary."""

    execution_id: UUID
    process: str
    ended_at: datetime
    error: ErrorSummary | None
    position: int
    parent_id: UUID | None = None
    parent_step: str | None = None
    item: int | None = None
    key: str | None = None
    round: int | None = None


class ExecutionFilter(msgspec.Struct, frozen=True):
    """A filter of executions: OR within a field, AND between fields; started_from ≤ started < started_to, and
    likewise the end. labels: of the process, in the version that runs. order: in ORDERS.

    Children are left out, unless include_children is set, or the filter names their ids, parents, roots, batches or the
    trigger ``sub_process``, or id_ends_with, the end of an id. roots: the roots themselves too. within: names of
    processes or their beginnings, as ``claims-*``. parent_steps: steps of their parents that started them.

    failures: codes of errors. failed_steps: steps at which they failed. ran_steps: steps that are completed;
    paid_steps: and cost something, every use with a price. cost: in COSTS; with include_children the own cost, else
    that of the tree. currency: of these costs, and of the order by cost. Default: any, and USD. called_from, called_to:
    the period of a priced call, of the execution itself or of its tree, as for cost. batches: those with the execution
    in their lists. slot_keys: of their lines, empty for that without a key; with a process: there is an index.
    """

    process_ids: list[UUID] = []
    versions: list[int] = []
    statuses: list[str] = []
    triggers: list[str] = []
    parents: list[UUID] = []
    parent_steps: list[str] = []
    roots: list[UUID] = []
    waiting_for: list[str] = []
    include_children: bool = False
    within: tuple[str, ...] = ()
    started_from: datetime | None = None
    started_to: datetime | None = None
    ended_from: datetime | None = None
    ended_to: datetime | None = None
    called_from: datetime | None = None
    called_to: datetime | None = None
    id_ends_with: str = ""
    labels: list[str] = []
    failures: list[str] = []
    failed_steps: list[str] = []
    ran_steps: list[str] = []
    paid_steps: list[str] = []
    cost: str = ""
    currency: str = ""
    order: str = NEWEST
    ids: list[UUID] = []
    batches: list[UUID] = []
    slot_keys: list[str] = []


def list_executions(
    reading: Reading,
    filter: ExecutionFilter,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[ExecutionSummary]:
    """Return executions in the order of the filter. Raises BadCursor or NotYet."""
    currency = filter.currency or DEFAULT_CURRENCY
    where = Where({"rows": limit + 1, "order_currency": currency})
    chosen = dearest(currency) if filter.order == DEAREST else ORDERS[filter.order]
    chosen.limit(where, cursor, reading)
    where_matching(where, reading, filter, chosen.sql)
    query = _LIST.format(joined=chosen.joined, where=where.sql, order=chosen.sql, rows="%(rows)s")
    with reading.of(LIST, min_position, beside=read_beside(filter)) as (connection, freshness):
        rows = fetch(connection, query, where.parameters)
    return page_of([_summary(row) for row in rows], limit, freshness, lambda row: chosen.cursor(row, freshness.epoch))


def where_matching(where: Where, reading: Reading, filter: ExecutionFilter, order: str) -> None:
    """Require what the filter states of a row `l` of the list. order: of the query, as SQL."""
    where.any_of("l.execution_id", filter.ids, "uuid")
    if filter.labels:
        _add_labels(where, labelled_versions(reading, filter.labels))
    where.any_of("l.process_id", filter.process_ids, "uuid")
    where.any_of("l.version", filter.versions, "bigint")
    where.any_of("l.status", filter.statuses, "text")
    where.any_of("l.trigger", filter.triggers, "text")
    where.any_of("l.parent_id", filter.parents, "uuid")
    where.any_of("l.parent_step", filter.parent_steps, "text")
    if filter.batches:
        where.holds(_IN_BATCHES)
        where.parameters["batches"] = filter.batches
    if filter.slot_keys:
        where.holds("l.slot_key is not null")
        where.any_of("l.slot_key", filter.slot_keys, "text")
    where.any_of_either(("l.root_id", "l.execution_id"), filter.roots, "uuid")
    if filter.id_ends_with:
        beginning = filter.id_ends_with.lower()[::-1]
        where.holds(_ENDING)
        where.parameters.update(end_from=beginning, end_to=f"{beginning}~")
    if not (
        filter.include_children
        or filter.ids
        or filter.batches
        or filter.parents
        or filter.parent_steps
        or filter.roots
        or filter.id_ends_with
        or SUB_PROCESS in filter.triggers
    ):
        where.holds("l.parent_id is null")
    where.within("l.process", filter.within)
    where.add("l.started_at >= {}", filter.started_from)
    where.add("l.started_at < {}", filter.started_to)
    where.add("l.ended_at >= {}", filter.ended_from)
    where.add("l.ended_at < {}", filter.ended_to)
    where_failed(where, filter.failures, filter.failed_steps)
    where_ran(where, filter.ran_steps, filter.paid_steps, filter.currency)
    where_cost(where, filter.cost, filter.currency, own=filter.include_children)
    where_called(where, filter.called_from, filter.called_to, filter.currency, own=filter.include_children)
    where_waiting_for(where, filter.waiting_for, order)


def read_beside(filter: ExecutionFilter) -> Iterator[str]:
    """Yield the other read models that the filter reads."""
    if filter.cost or filter.called_from is not None or filter.called_to is not None:
        yield LEDGER
    if filter.ran_steps or filter.paid_steps:
        yield DETAIL


def _add_labels(where: Where, versions: Sequence[tuple[UUID, int]]) -> None:
    """Require one of `versions`, processes with a number; first by process, for which there is an index."""
    where.add("l.process_id = any({}::uuid[])", sorted({id for id, _ in versions}))
    where.parameters.update(labelled=[id for id, _ in versions], numbers=[number for _, number in versions])
    where.holds("(l.process_id, l.version) in (select * from unnest(%(labelled)s::uuid[], %(numbers)s::int[]))")


def longest_running(within: tuple[str, ...], limit: int) -> Question[Page[ExecutionSummary]]:
    """Return the question for the executions under way, without children, the one that began first at the top; a page.

    within: names of processes or their beginnings, as ``claims-*``.
    """
    where = _shown_first(within, [f"l.status in {UNDER_WAY}"])
    if not within:
        where.holds(f"l.position in ({_FIRST_OF_EACH.format(rows=limit)})")
    query = _LIST.format(joined="", where=where.sql, order=ORDERS["oldest"].sql, rows=limit)

    def view(rows: list[DictRow], freshness: Freshness) -> Page[ExecutionSummary]:
        return Page([_summary(row) for row in rows], None, freshness.as_of_position, freshness.lag_seconds)

    return Question(LIST, query, where.parameters, view)


def newest_failed(within: tuple[str, ...], limit: int) -> Question[Page[FailedExecution]]:
    """Return the question for the failed executions, without children, the newest first."""
    where, order = _shown_first(within, ["l.status = 'failed'"]), ORDERS[NEWEST]

    def view(rows: list[DictRow], freshness: Freshness) -> Page[FailedExecution]:
        failed = [_failed(row) for row in rows]
        return page_of(failed, limit, freshness, lambda row: write_cursor(order.kind, row.position, freshness.epoch))

    query = _FAILED.format(where=where.sql, order=order.sql, rows=limit + 1)
    return Question(LIST, query, where.parameters, view)


def _shown_first(within: tuple[str, ...], conditions: Sequence[str]) -> Where:
    """Return conditions of a part of a page. They are literals, as its limit is: the server then plans once for all."""
    where = Where()
    for each in (*conditions, "l.parent_id is null"):
        where.holds(each)
    where.within("l.process", within)
    return where


def _failed(row: DictRow) -> FailedExecution:
    return FailedExecution(row["execution_id"], row["process"], row["ended_at"], _error(row), row["position"])


def _error(row: DictRow) -> ErrorSummary | None:
    code, message = row.pop("error_code"), row.pop("error_message")
    return None if code is None else ErrorSummary(code, message or "")


def _summary(row: DictRow) -> ExecutionSummary:
    error = _error(row)
    own, of_steps, count = waits_of_execution(row["status"]), row.pop("waiting_for"), row.pop("waiting_count")
    return ExecutionSummary(
        **row,
        error=error,
        waiting_for=own + decode_waits(of_steps),
        waiting_count=len(own) + count,
    )
