"""Approvals: what people are asked, and what they decide."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.bodies import json_object, read_body
from api.carrying_out import carry_out
from api.fields import Fields
from api.parameters import NO_PARAMETERS, ApprovalsAsked, Fresh
from api.receipts import ApprovalDecided, CommentBody
from api.references import process_named
from commands.approvals import DecideApproval
from domain.executions.decisions.approval import Verdict
from queries.approvals import ApprovalDetail, ApprovalFilter, ApprovalView, get_approval, list_approvals
from queries.paging import Page

router = APIRouter(prefix="/approvals", tags=["executions"])


@router.get("", summary="List approvals", **openapi.query(Page[ApprovalView]))
def list_(request: Request, asked: Annotated[ApprovalsAsked, Query()]) -> Response:
    """The newest first."""
    wanted = ApprovalFilter(
        process_ids=[process_named(reference) for reference in asked.process],
        statuses=asked.status,
        approvers=asked.approver,
    )
    return view(list_approvals(request.app.state.services.reading, wanted, **asked.page))


@router.get("/{approval_id}", summary="One approval", **openapi.query(ApprovalDetail, 404))
def get(approval_id: str, request: Request, asked: Annotated[Fresh, Query()]) -> Response:
    """What is asked, of whom and until when; what was decided."""
    return view(get_approval(request.app.state.services.reading, approval_id, min_position=asked.min_position))


@router.post(
    "/{approval_id}/approve",
    dependencies=[NO_PARAMETERS],
    summary="Approve",
    **openapi.command(ApprovalDecided, 200, 403, 404, body=CommentBody),
)
async def approve(approval_id: str, request: Request) -> Response:
    """The execution goes on. X-Actor decides; 403: others are named. 409: it was decided, and by whom."""
    return await _decide(approval_id, request, "granted")


@router.post(
    "/{approval_id}/reject",
    dependencies=[NO_PARAMETERS],
    summary="Reject",
    **openapi.command(ApprovalDecided, 200, 403, 404, body=CommentBody),
)
async def reject(approval_id: str, request: Request) -> Response:
    """The step fails with `approval_refused`."""
    return await _decide(approval_id, request, "refused")


@router.post(
    "/{approval_id}/request-changes",
    dependencies=[NO_PARAMETERS],
    summary="Request changes",
    **openapi.command(ApprovalDecided, 200, 403, 404, body=CommentBody),
)
async def request_changes(approval_id: str, request: Request) -> Response:
    """The step fails with `changes_requested`, so that its `on_error` can lead to where they are made."""
    return await _decide(approval_id, request, "changes_requested")


async def _decide(approval_id: str, request: Request, verdict: Verdict) -> Response:
    body = await read_body(request)
    fields = Fields(json_object(request, body), "comment")
    comment = fields.text("comment")
    fields.check()
    command = DecideApproval(approval_id, verdict, comment or "")
    approvals = request.app.state.services.approvals
    return await carry_out(
        request,
        body,
        lambda cause, identified: approvals.decide(command, cause, identified),
        always={"approval_id": approval_id},
    )
