"""Approvals: the list, one in detail; approve, reject, request changes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import CommandReceipt, carry_out
from commands.approvals import DecideApproval
from domain.executions.decisions.approval import Verdict
from domain.executions.verdicts import APPROVAL_WORDS
from edge.admitted import Caller, Masking, deciders_of, teams_of
from edge.command_request import Commanded, CommandRequest
from edge.dependencies import Reads
from edge.parameters import SEVERAL, Fresh, Paged, ProcessReferences, Values, one_of
from edge.references import process_named
from edge.scopes import READ_APPROVALS
from queries.approvals import ApprovalDetail, ApprovalFilter, ApprovalView, get_approval, list_approvals
from queries.paging import Page

router = APIRouter(prefix="/approvals", tags=["executions"])


class ApprovalReceipt(CommandReceipt, kw_only=True):
    """A decision was recorded. duplicate: the same actor had taken the same decision already."""

    execution_id: UUID
    approval_id: str


class ApprovalFilters(Paged):
    """Filters of the approvals."""

    process: ProcessReferences = []
    status: Annotated[Values, one_of(APPROVAL_WORDS), Field(description=", ".join(APPROVAL_WORDS))] = []
    approver: Annotated[Values, Field(description=f"Those that they may decide. {SEVERAL}")] = []


@router.get("", summary="List approvals", **openapi.query(Page[ApprovalView], permission=READ_APPROVALS, listed=True))
def list_(reading: Reads, caller: Caller, masking: Masking, filters: Annotated[ApprovalFilters, Query()]) -> Response:
    """List approvals, the newest first."""
    requested = ApprovalFilter(
        process_ids=[process_named(reference) for reference in filters.process],
        statuses=filters.status,
        approvers=filters.approver,
        within=caller.processes,
        deciders=deciders_of(caller),
    )
    return view(masking.approvals(list_approvals(reading, requested, **filters.page)))


@router.get("/{approval_id}", summary="One approval", **openapi.query(ApprovalDetail, 404, permission=READ_APPROVALS))
def get(
    approval_id: str, reading: Reads, caller: Caller, masking: Masking, given: Annotated[Fresh, Query()]
) -> Response:
    """Return the question, its approvers and its deadline; once decided, the decision."""
    found = get_approval(reading, approval_id, deciders=deciders_of(caller), min_position=given.min_position)
    return view(masking.approval(found))


@router.post(
    "/{approval_id}/approve", summary="Approve", **openapi.command(DecideApproval, ApprovalReceipt, 403, 404, 410)
)
async def approve(approval_id: str, request: Commanded) -> Response:
    """Grant the approval: the execution continues. X-Actor decides; 403: only named approvers may.

    409: it was decided already; `decided_by` names the actor.
    """
    return await _decide(approval_id, request, "granted")


@router.post(
    "/{approval_id}/reject", summary="Reject", **openapi.command(DecideApproval, ApprovalReceipt, 403, 404, 410)
)
async def reject(approval_id: str, request: Commanded) -> Response:
    """Refuse the approval: the step fails with `approval_refused`."""
    return await _decide(approval_id, request, "refused")


@router.post(
    "/{approval_id}/request-changes",
    summary="Request changes",
    **openapi.command(DecideApproval, ApprovalReceipt, 403, 404, 410),
)
async def request_changes(approval_id: str, request: Commanded) -> Response:
    """Request changes: the step fails with `changes_requested`; its `on_error` can lead to the step that makes them."""
    return await _decide(approval_id, request, "changes_requested")


async def _decide(approval_id: str, request: CommandRequest, verdict: Verdict) -> Response:
    command = request.read(DecideApproval, approval_id=approval_id, verdict=verdict, teams=teams_of(request.request))
    return await carry_out(request, request.handlers.approvals.decide, command, ApprovalReceipt)
