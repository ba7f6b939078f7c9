"""The decision of a person about an approval."""

from typing import Annotated

from commands.command import Beside, Command, CommandScope, Note
from commands.deciding import Identified, unidentified
from commands.executions import Executions
from commands.receipt import Receipt
from domain.archive.refusals import ExecutionArchived
from domain.event import Cause
from domain.executions.decisions.approval import Verdict, decide_approval, parse_approval_id
from domain.executions.decisions.refusals import NoSuchApproval
from domain.refusal import NotFound


class DecideApproval(Command, frozen=True):
    """Decide an approval. comment: why, for people; some approvals require it. teams: those of who decides."""

    scope = CommandScope.APPROVALS_DECIDE
    approval_id: Annotated[str, Beside()]
    verdict: Annotated[Verdict, Beside()]
    comment: Note = ""
    teams: Annotated[tuple[str, ...], Beside()] = ()


class ApprovalCommands:
    """The handler of the command above; it decides in one append."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    def decide(self, command: DecideApproval, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Decide the approval, and continue the execution; the same decision by the same person again is a duplicate.

        Raises NoSuchApproval, ApproverNotNamed, ReasonRequired or ApprovalDecided.
        """
        execution_id, step, attempt = parse_approval_id(command.approval_id)
        verdict, comment = command.verdict, command.comment
        try:
            return self._executions.decide(
                execution_id,
                lambda execution: decide_approval(
                    execution, step, attempt, cause.actor, verdict, comment, cause, teams=command.teams
                ),
                identified,
            )
        except (NoSuchApproval, ExecutionArchived):
            raise
        except NotFound:
            raise NoSuchApproval(f"there is no execution {execution_id}") from None
