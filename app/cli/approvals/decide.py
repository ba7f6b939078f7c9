"""approve, reject, request-changes: the decision of a person."""

import re
from typing import Annotated

import typer

from app.cli.opening import opened
from app.cli.options import JsonOption, words
from app.cli.output import output_of
from app.wiring import operator
from commands.approvals import DecideApproval
from domain.executions.decisions.approval import Verdict
from domain.executions.verdicts import DECISION
from domain.language.types.steps.approval import APPROVER

cli = typer.Typer()

Id = Annotated[str, typer.Argument(metavar="APPROVAL", help="The id of an approval.")]
Comment = Annotated[str, typer.Option(help="The reason, for people.", callback=words)]
As = Annotated[
    str, typer.Option("--as", metavar="NAME", help="The name of the approver; required where the step names approvers.")
]


@cli.command()
def approve(
    context: typer.Context, approval: Id, comment: Comment = "", by: As = "cli", json: JsonOption = False
) -> None:
    """Approve: the execution goes on."""
    _decide(context, approval, "granted", comment, by, json)


@cli.command()
def reject(
    context: typer.Context, approval: Id, comment: Comment = "", by: As = "cli", json: JsonOption = False
) -> None:
    """Reject: the step fails, and the execution too unless on_error continues it."""
    _decide(context, approval, "refused", comment, by, json)


@cli.command("request-changes")
def request_changes(
    context: typer.Context, approval: Id, comment: Comment = "", by: As = "cli", json: JsonOption = False
) -> None:
    """Request changes. The step fails with changes_requested, and its on_error may lead to a step that makes them."""
    _decide(context, approval, "changes_requested", comment, by, json)


def _decide(context: typer.Context, approval: str, verdict: Verdict, comment: str, by: str, json: bool) -> None:
    output = output_of(context, json)
    if not re.fullmatch(APPROVER, by):
        raise typer.BadParameter("is a name of at most 64 of A-Z a-z 0-9 . _ @ -", param_hint="--as")
    cause = operator("cli:decide", f"user:{by}")
    with opened(output) as wiring:
        receipt = wiring.approvals.decide(DecideApproval(approval, verdict, comment), cause)
    decision = DECISION[verdict]
    answer = {
        **receipt.facts,
        "approval_id": approval,
        "decision": decision,
        "new": not receipt.duplicate,
        "position": receipt.position,
    }
    output.answer(
        answer, f"approval {approval}: {decision.replace('_', ' ')}" + (" already" if receipt.duplicate else "")
    )
