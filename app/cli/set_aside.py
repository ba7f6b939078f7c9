"""set-aside list, retry, cancel: executions and cost alerts about which no decision succeeds."""

import typer

from app.cli.carrying_out import carry_out
from app.cli.lists import NUMBERS, note_more
from app.cli.opening import opened_reading
from app.cli.options import Cursor, ExecutionArgument, JsonOption, Limit, ReasonOption
from app.cli.output import output_of
from app.cli.wording import moment, short
from app.wiring import operator
from commands.set_aside import CancelSetAside, RetrySetAside
from edge.references import execution_named
from queries.set_aside import SetAsideView, list_set_aside

cli = typer.Typer(
    help="Executions and cost alerts that are set aside, because no decision about them succeeds.",
    rich_markup_mode=None,
    invoke_without_command=True,
)


@cli.callback()
def default(context: typer.Context, json: JsonOption = False) -> None:
    """List what is set aside, unless a command follows."""
    if context.invoked_subcommand is None:
        list_(context, json=json)


@cli.command("list")
def list_(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, json: JsonOption = False) -> None:
    """List executions, and cost alerts, that are set aside, the longest first."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        page = list_set_aside(reading, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = [(_named(each), moment(each.since), each.tries, moment(each.next_try), short(each.error, 200))
            for each in page.items]  # fmt: skip
    output.table(("execution", "since", "tries", "next try", "error"), rows, right=NUMBERS | {"tries"})
    note_more(output, page.next_cursor)


def _named(item: SetAsideView) -> str:
    return str(item.execution_id) if item.kind == "execution" else f"{item.kind.replace('_', ' ')} {item.execution_id}"


@cli.command()
def retry(context: typer.Context, execution: ExecutionArgument, reason: ReasonOption, json: JsonOption = False) -> None:
    """Try an execution, or an alert, again at once. When a decision about it succeeds, it is no longer set aside."""
    output = output_of(context, json)
    command, cause = RetrySetAside(execution_named(execution), reason), operator("cli:set-aside-retry")
    carry_out(
        output,
        lambda wiring: wiring.set_aside.retry(command, cause),
        what=f"execution {command.execution_id}",
        done="is tried again",
        already="is tried again",
        facts={},
        dry_run=False,
    )


@cli.command()
def cancel(
    context: typer.Context, execution: ExecutionArgument, reason: ReasonOption, json: JsonOption = False
) -> None:
    """Cancel an execution that is set aside. If its decision breaks, only its end is recorded."""
    output = output_of(context, json)
    command, cause = CancelSetAside(execution_named(execution), reason), operator("cli:set-aside-cancel")
    carry_out(
        output,
        lambda wiring: wiring.set_aside.cancel(command, cause),
        what=f"execution {command.execution_id}",
        done="cancelled",
        already="had ended already, and is no longer set aside",
        facts={},
        dry_run=False,
        needs_worker=False,
    )
