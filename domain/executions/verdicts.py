"""The words for the end of an approval: stored statuses, and the decision that views and outputs show."""

OPEN_APPROVAL = "open"
# The decision by the stored status. An approval that is open or cancelled has none.
DECISION = {
    "granted": "approved",
    "refused": "rejected",
    "changes_requested": "changes_requested",
    "expired": "expired",
}
APPROVAL_STATUSES = (OPEN_APPROVAL, *DECISION, "cancelled")
_STATUS = {decision: status for status, decision in DECISION.items()}
# Filters take both words.
APPROVAL_WORDS = (*APPROVAL_STATUSES, *(word for word in _STATUS if word not in APPROVAL_STATUSES))


def stored_status(word: str) -> str:
    """Return the stored status for a status or a decision."""
    return _STATUS.get(word, word)


def decided_output(status: str, by: str | None, comment: str | None) -> dict[str, str | None] | None:
    """Return the output of an approval in a stored `status`; None while there is no decision."""
    word = DECISION.get(status)
    return None if word is None else {"decision": word, "by": by, "comment": comment}
