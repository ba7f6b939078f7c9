"""Approvals: the inbox, and one with its decision."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.approvals import DecideApproval
from domain.executions.decisions.approval import Verdict
from edge.admitted import Caller, Masking, deciders_of, teams_of
from edge.dependencies import Reads, door_of
from edge.principal import cause_of
from edge.scopes import READ_APPROVALS, requires
from queries.approvals import get_approval, list_approvals
from web.forms import PageParameters, carry_out, form_fields
from web.layout import approvals_for, page

DECIDED = ("granted", "refused", "changes_requested", "expired", "cancelled")
VerdictWord = Literal["approve", "reject", "request-changes"]
VERDICTS: dict[VerdictWord, Verdict] = {
    "approve": "granted",
    "reject": "refused",
    "request-changes": "changes_requested",
}

router = APIRouter(prefix="/approvals")


class ApprovalParameters(PageParameters):
    """tab: ``open`` or ``decided``."""

    tab: str = "open"


@router.get("", **requires(READ_APPROVALS, listed=True))
def list_(
    request: Request,
    reading: Reads,
    caller: Caller,
    masking: Masking,
    given: Annotated[ApprovalParameters, Query()],
) -> Response:
    """Return the page of approvals, the newest first."""
    decided = given.tab == "decided"
    statuses = list(DECIDED) if decided else ["open"]
    filter = approvals_for(caller, statuses, own=given.tab == "me")
    found = masking.approvals(list_approvals(reading, filter, cursor=given.cursor, min_position=given.min_position))
    return page(
        request,
        "approvals.html",
        title="Approvals",
        nav="Approvals",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
        decided=decided,
    )


@router.get("/{approval_id}", **requires(READ_APPROVALS))
def one(
    approval_id: str,
    request: Request,
    reading: Reads,
    caller: Caller,
    masking: Masking,
    given: Annotated[ApprovalParameters, Query()],
) -> Response:
    """Return the page of one approval."""
    found = get_approval(reading, approval_id, deciders=deciders_of(caller), min_position=given.min_position)
    found = masking.approval(found)
    return page(
        request,
        "approval.html",
        title=found.title,
        nav="Approvals",
        freshness=found,
        crumbs=[("Approvals", "/approvals"), (found.title, None)],
        found=found,
        given=given,
        acts=caller.may(DecideApproval.scope),
    )


@router.post("/{approval_id}/{verdict}", **requires(DecideApproval.scope))
async def decide(approval_id: str, verdict: VerdictWord, request: Request) -> Response:
    """Decide an approval, and return to its page."""
    fields = await form_fields(request, "comment")
    command = DecideApproval(approval_id, VERDICTS[verdict], fields["comment"], teams_of(request))
    receipt = await carry_out(door_of(request).handlers.approvals.decide, command, cause_of(request))
    return RedirectResponse(f"/approvals/{approval_id}?min_position={receipt.position}&done=decided", 303)
