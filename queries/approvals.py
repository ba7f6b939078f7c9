"""Approvals: the requests to people, and their decisions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from domain.executions.verdicts import DECISION, stored_status
from queries.counts import RowCount
from queries.exchange import Question, answer
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, page_of, read_position, write_cursor
from queries.reading import Freshness, Reading, fetch
from store.sizes import FULL_ANSWER

APPROVALS = "approvals"
MOST_READ = 1_000

_COLUMNS = """approval_id, execution_id, process_id, process, step, attempt, title, description, approvers, artifacts,
status, requested_at, deadline, decided_by, decided_at, comment, position"""
# Of the rows up to the one that makes the page full, the server sends the documents.
_LIST = f"""select {_COLUMNS}, size from (
  select {_COLUMNS}, sum(octet_length(artifacts::text) + octet_length(description))
    over (order by position desc rows unbounded preceding) as size
  from approvals where {{where}} order by position desc limit %(rows)s) page
where size - octet_length(artifacts::text) - octet_length(description) < {FULL_ANSWER} order by position desc"""
_ONE = f"select {_COLUMNS} from approvals where execution_id = %s and step = %s and attempt = %s"
# The newest of each status, by the index; of these, those that the list shows are counted.
_TALLY = f"""select w.name, count(*) filter (where {{where}})::int as number, count(*) >= {MOST_READ} as more
from jsonb_to_recordset(%(tabs)s) as w(name text, status text)
cross join lateral (select process, approvers from approvals a where a.status = w.status
  order by a.position desc limit {MOST_READ}) l group by w.name"""
_MAY_DECIDE = "(json_array_length(approvers) = 0 or approvers::jsonb ?| {}::text[])"


class ApprovalView(msgspec.Struct, frozen=True):
    """An approval. status: ``open``, ``granted``, ``refused``, ``changes_requested``, ``expired`` or ``cancelled``.

    decision: as in the step's output: ``approved``, ``rejected``, ``changes_requested`` or ``expired``; None before it.
    approvers: the people who may decide; empty for anybody. decided_at: also of its expiry or cancellation.
    """

    approval_id: str
    execution_id: UUID
    process_id: UUID
    process: str
    step: str
    attempt: int
    title: str
    description: str
    approvers: msgspec.Raw
    artifacts: msgspec.Raw
    status: str
    decision: str | None
    requested_at: datetime
    deadline: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    comment: str | None
    position: int


class ApprovalDetail(ApprovalView, frozen=True):
    """An approval, and how fresh this is."""

    as_of_position: int
    lag_seconds: float


class ApprovalCount(msgspec.Struct, frozen=True):
    """A number of approvals. more: whether there may be more; not all rows were read."""

    number: int
    more: bool


class ApprovalFilter(msgspec.Struct, frozen=True):
    """A filter of approvals: OR within a field, AND between fields. approvers: one of them may decide the approval.

    statuses: stored statuses, or decisions. within: names of processes or their beginnings, as ``claims-*``. deciders:
    the reader by its names, who sees what these may decide; None: it sees all.
    """

    process_ids: list[UUID] = []
    statuses: list[str] = []
    approvers: list[str] = []
    within: tuple[str, ...] = ()
    deciders: tuple[str, ...] | None = None


def list_approvals(
    reading: Reading,
    filter: ApprovalFilter,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[ApprovalView]:
    """Return approvals, the newest first; a page of large ones ends before `limit`. Raises BadCursor or NotYet."""
    return answer(reading, approvals_listed(filter, read_position("p", cursor, LARGEST, reading), limit), min_position)


def approvals_listed(filter: ApprovalFilter, before: int | None, limit: int) -> Question[Page[ApprovalView]]:
    """Return the question for approvals, the newest first. before: a position."""
    where = Where({"rows": limit + 1})
    where.add("position < {}", before)
    where.any_of("process_id", filter.process_ids, "uuid")
    where.any_of("status", [stored_status(word) for word in filter.statuses], "text")
    _add_readers(where, filter)

    def view(rows: list[DictRow], freshness: Freshness) -> Page[ApprovalView]:
        full = bool(rows) and rows[-1]["size"] >= FULL_ANSWER
        views = [_view(row) for row in rows]
        return page_of(views, limit, freshness, lambda row: write_cursor("p", row.position, freshness.epoch), full=full)

    return Question(APPROVALS, _LIST.format(where=where.sql), where.parameters, view)


def approvals_counted(filter: ApprovalFilter) -> RowCount:
    """Return the count of approvals."""
    where = Where(prefix="approval_")
    where.any_of("status", filter.statuses, "text")
    _add_readers(where, filter)
    return RowCount(APPROVALS, f"select from approvals where {where.sql}", where.parameters)


def tally_approvals(
    reading: Reading, tabs: Mapping[str, Sequence[str]], filter: ApprovalFilter
) -> dict[str, ApprovalCount]:
    """Return how many approvals of some statuses each tab holds. filter: of the reader. Raises ReadModelRebuilding."""
    statuses = [{"name": name, "status": status} for name, its in tabs.items() for status in its]
    where = Where({"tabs": Jsonb(statuses)})
    _add_readers(where, filter)
    with reading.of(APPROVALS, None) as (connection, _):
        rows = fetch(connection, _TALLY.format(where=where.sql), where.parameters)
    found = {row["name"]: ApprovalCount(min(row["number"], MOST_READ), row["more"]) for row in rows}
    return {name: found.get(name, ApprovalCount(0, False)) for name in tabs}


def _add_readers(where: Where, filter: ApprovalFilter) -> None:
    where.within("process", filter.within)
    where.add(_MAY_DECIDE, [name.removeprefix("user:") for name in filter.approvers] or None)
    where.add(_MAY_DECIDE, None if filter.deciders is None else list(filter.deciders))


def get_approval(
    reading: Reading,
    approval_id: str,
    *,
    deciders: tuple[str, ...] | None = None,
    min_position: int | None = None,
) -> ApprovalDetail:
    """Return one approval. deciders: as in the filter. Raises NoSuchApproval or NotYet."""
    # Imported here: the list needs neither the decisions nor the language that they import.
    from domain.executions.decisions.approval import parse_approval_id
    from domain.executions.decisions.refusals import NoSuchApproval

    key = parse_approval_id(approval_id)
    with reading.of(APPROVALS, min_position) as (connection, freshness):
        rows = fetch(connection, _ONE, key)
    approvers = msgspec.json.decode(rows[0]["approvers"], type=list[str]) if rows else []
    if not rows or (deciders is not None and approvers and not set(approvers) & set(deciders)):
        raise NoSuchApproval(f"there is no approval {approval_id!r}")
    decision = DECISION.get(rows[0]["status"])
    position, lag = freshness.as_of_position, freshness.lag_seconds
    return ApprovalDetail(**rows[0], decision=decision, as_of_position=position, lag_seconds=lag)


def _view(row: DictRow) -> ApprovalView:
    given = {name: row[name] for name in ApprovalView.__struct_fields__ if name != "decision"}
    return ApprovalView(**given, decision=DECISION.get(row["status"]))
