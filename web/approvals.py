"""Approvals: the inbox, and one with its decision."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.approvals import DecideApproval
from domain.executions.decisions.approval import Verdict
from edge.admitted import Caller, Masking, deciders_of, teams_of
from edge.dependencies import Reads, door_of
from edge.door import Door
from edge.principal import Principal, principal_of
from edge.scopes import READ_APPROVALS, requires
from edge.sensitive import SensitiveViews
from queries.approvals import ApprovalCount, ApprovalView, get_approval, list_approvals, tally_approvals
from queries.reading import Reading, ReadModelRebuilding
from web.acts import UNTRIED, Act, ActForm, attempt
from web.forms import PageParameters
from web.layout import approvals_for, page
from web.prospects import prospects_in_words
from web.wording import readable

DECIDED = ("granted", "refused", "changes_requested", "expired", "cancelled")
VerdictWord = Literal["approve", "reject", "request-changes"]
VERDICTS: dict[VerdictWord, Verdict] = {
    "approve": "granted",
    "reject": "refused",
    "request-changes": "changes_requested",
}

BESIDE = 20

DECIDE = Act("Decide", "", "decided", lambda handlers: handlers.approvals.decide, fields=("comment",), reasoned=False)

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
        counts=_counts(reading, caller),
        **({"found": None} if decided or not found.items else _request(door_of(request), found.items[0])),
    )


def _counts(reading: Reading, caller: Principal) -> dict[str, ApprovalCount]:
    """Return how many approvals the tabs of all hold; none while they are not countable."""
    try:
        return tally_approvals(reading, {"open": ["open"], "decided": list(DECIDED)}, approvals_for(caller, []))
    except ReadModelRebuilding:
        return {}


@router.get("/{approval_id}", **requires(READ_APPROVALS))
def one(approval_id: str, request: Request, given: Annotated[ApprovalParameters, Query()]) -> Response:
    """Return the page of one approval."""
    return _one(request, approval_id, min_position=given.min_position)


@router.post("/{approval_id}/{verdict}", **requires(DecideApproval.scope))
async def decide(approval_id: str, verdict: VerdictWord, request: Request) -> Response:
    """Decide an approval, and return to its page."""

    def command(fields: Mapping[str, str]) -> DecideApproval:
        return DecideApproval(approval_id, VERDICTS[verdict], fields["comment"], teams_of(request))

    return await attempt(request, DECIDE, command, partial(_one, request, approval_id), f"/approvals/{approval_id}")


def _one(request: Request, approval_id: str, form: ActForm = UNTRIED, *, min_position: int | None = None) -> Response:
    """Return the page of an approval. form: of the last try."""
    caller, door = principal_of(request), door_of(request)
    found = get_approval(door.reading, approval_id, deciders=deciders_of(caller), min_position=min_position)
    masking = SensitiveViews(caller, door.sensitive)
    found = masking.approval(found)
    beside = list_approvals(door.reading, approvals_for(caller, ["open"], own=True), limit=BESIDE)
    inbox = masking.approvals(beside).items
    before, after = _neighbours([each.approval_id for each in inbox], found.approval_id)
    return page(
        request,
        "approval.html",
        title=found.title,
        nav="Approvals",
        code=form.code,
        freshness=found,
        crumbs=[("Approvals", "/approvals"), (found.title, None)],
        **_request(door, found),
        acts=caller.may(DecideApproval.scope),
        inbox=inbox,
        before=before,
        after=after,
        form=form,
    )


def _request(door: Door, found: ApprovalView) -> dict[str, Any]:
    """Return what a page shows of one approval."""
    approvers = json.loads(bytes(found.approvers))
    return {"found": found, "artifacts": readable(found.artifacts), "approvers": approvers} | prospects_in_words(
        door, found
    )


def _neighbours(ids: Sequence[str], this: str) -> tuple[str | None, str | None]:
    """Return the approvals before and after this one in the list beside it; of one that is not there, the first."""
    if this not in ids:
        return None, ids[0] if ids else None
    at = ids.index(this)
    return ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None
