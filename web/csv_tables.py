"""A table as a CSV file to download; a cell that a spreadsheet would take for a formula is made harmless."""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec
from starlette.responses import Response

FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = Sequence[object]


class CsvTable(msgspec.Struct, frozen=True):
    """A table with the name of its file."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Row]


def download(table: CsvTable) -> Response:
    """Return a table as a file to download."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(cell: object) -> object:
    """Return a cell; a text that begins a formula follows an apostrophe."""
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return f"'{cell}"
    return "" if cell is None else cell
