"""What follows the decisions of an approval, in words."""

from contextlib import suppress
from typing import Any

from domain.executions.prospects import Prospect
from edge.door import Door
from queries.approvals import ApprovalView
from queries.prospects import ApprovalProspects, prospects_of
from queries.reading import ReadModelRebuilding

DECISIONS = (
    ("granted", "Approved"),
    ("changes_requested", "Changes requested"),
    ("refused", "Rejected"),
    ("expired", "Nobody decides"),
)


def prospects_in_words(door: Door, found: ApprovalView) -> dict[str, Any]:
    """Return what follows each decision of an open approval, and the cost so far; empty while that is unknown."""
    unknown: dict[str, Any] = {"follows": [], "spent": None, "requires_comment": False}
    if found.status != "open":
        return unknown
    with suppress(ReadModelRebuilding):
        ahead = prospects_of(door.reading, door.definitions, found.execution_id, found.step, found.attempt)
        if ahead is not None:
            follows = [(word, _words(ahead, kind)) for kind, word in DECISIONS if kind in ahead.by_decision]
            return {"follows": follows, "spent": ahead.cost, "requires_comment": ahead.require_reason}
    return unknown


def _words(ahead: ApprovalProspects, kind: str) -> str:
    prospect = ahead.by_decision[kind]
    by_itself = "it is approved by itself; " if kind == "expired" and not prospect.code else ""
    return by_itself + _sentence(prospect, ahead.names)


def _sentence(prospect: Prospect, names: dict[str, str]) -> str:
    match prospect.outcome:
        case "again":
            return "the approval is requested again"
        case "fails":
            return f"the execution fails with {prospect.code}"
        case "diverted":
            return f"the execution goes on at {_listed(prospect, names)}"
        case "goes_on" if prospect.steps:
            return f"the execution goes on with {_listed(prospect, names)}"
        case _:
            return "the execution goes on; no step waits for this one"


def _listed(prospect: Prospect, names: dict[str, str]) -> str:
    words = [
        names.get(each, each) + (", if its condition holds" if each in prospect.conditional else "")
        for each in prospect.steps
    ]
    return "; ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")
