"""epochs: of the log, each begun by a server that took over."""

import typer

from app.cli.opening import opened_reading
from app.cli.options import JsonOption
from app.cli.output import output_of
from app.cli.wording import moment
from queries.epochs import list_epochs

cli = typer.Typer()


@cli.command()
def epochs(context: typer.Context, json: JsonOption = False) -> None:
    """List the epochs of the log, the present one first; a failover begins another one."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = list_epochs(reading.progress)
    if json:
        output.document(found)
        return
    rows = [
        (each.number, each.epoch, moment(each.begun_at), f"{each.begins_at:,}", each.timeline, each.system_identifier)
        for each in found.items
    ]
    output.table(
        ("number", "epoch", "since", "after position", "timeline", "server"),
        rows,
        right=frozenset({"number", "after position", "timeline"}),
    )
