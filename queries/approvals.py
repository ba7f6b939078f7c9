"""Approvals: the requests to people, and their decisions."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.executions.verdicts import DECISION, stored_status
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, page_of, read_position, write_cursor
from queries.reading import Reading, fetch

APPROVALS = "approvals"

_COLUMNS = """approval_id, execution_id, process_id, process, step, attempt, title, description, approvers, artifacts,
status, requested_at, deadline, decided_by, decided_at, comment, position"""
_LIST = f"select {_COLUMNS} from approvals where {{where}} order by position desc limit %(rows)s"
_ONE = f"select {_COLUMNS} from approvals where execution_id = %s and step = %s and attempt = %s"
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


class ApprovalFilter(msgspec.Struct, frozen=True):
    """A filter of approvals: OR within a field, AND between fields. approvers: one of them may decide the approval.

    statuses: stored statuses, or decisions.
    """

    process_ids: list[UUID] = []
    statuses: list[str] = []
    approvers: list[str] = []


def list_approvals(
    reading: Reading,
    filter: ApprovalFilter,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[ApprovalView]:
    """Return approvals, the newest first. Raises BadCursor or NotYet."""
    where = Where({"rows": limit + 1})
    where.add("position < {}", read_position("p", cursor, LARGEST))
    where.any_of("process_id", filter.process_ids, "uuid")
    where.any_of("status", [stored_status(word) for word in filter.statuses], "text")
    where.add(_MAY_DECIDE, [name.removeprefix("user:") for name in filter.approvers] or None)
    with reading.of(APPROVALS, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    views = [ApprovalView(**row, decision=DECISION.get(row["status"])) for row in rows]
    return page_of(views, limit, freshness, lambda row: write_cursor("p", row.position))


def get_approval(reading: Reading, approval_id: str, *, min_position: int | None = None) -> ApprovalDetail:
    """Return one approval. Raises NoSuchApproval or NotYet."""
    # Imported here: the list needs neither the decisions nor the language that they import.
    from domain.executions.decisions.approval import parse_approval_id
    from domain.executions.decisions.refusals import NoSuchApproval

    key = parse_approval_id(approval_id)
    with reading.of(APPROVALS, min_position) as (connection, freshness):
        rows = fetch(connection, _ONE, key)
    if not rows:
        raise NoSuchApproval(f"there is no approval {approval_id!r}")
    decision = DECISION.get(rows[0]["status"])
    position, lag = freshness.as_of_position, freshness.lag_seconds
    return ApprovalDetail(**rows[0], decision=decision, as_of_position=position, lag_seconds=lag)
