"""Commands about approvals: approvals, approve, reject, request-changes."""
