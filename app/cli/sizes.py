"""sizes: of the log and of each table on disk."""

import typer

from app.cli.opening import opened_reading
from app.cli.options import JsonOption
from app.cli.output import output_of
from queries.sizes import get_sizes

cli = typer.Typer()

NUMBERS = frozenset({"rows (about)", "bytes", "of it indexes"})


@cli.command()
def sizes(context: typer.Context, json: JsonOption = False) -> None:
    """Show the size of the log and of each table on disk; numbers of rows are estimates."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = get_sizes(reading)
    if json:
        output.document(found)
        return
    rows = [
        (f"{each.schema}.{each.table}", _number(each.rows_estimated), _number(each.bytes), _number(each.index_bytes))
        for each in found.tables
    ]
    output.table(("table", "rows (about)", "bytes", "of it indexes"), rows, right=NUMBERS)
    output.line(f"log: {found.log.bytes:,} bytes, up to position {found.log.last_position:,}")
    output.line(f"database: {found.database_bytes:,} bytes")


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
