"""What a command shows: JSON or text on standard output, everything on the way there on standard error."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli.progress import Bar, Progressing
from domain.refusal import Problem

# In a file or a pipe nothing is folded that a line can hold.
FILE_WIDTH = 400


class Output:
    """Where one command writes. json: one JSON document on standard output, whatever the outcome."""

    def __init__(self, *, json: bool) -> None:
        self.json = json
        width = None if sys.stdout.isatty() else FILE_WIDTH
        self._out = Console(highlight=False, soft_wrap=True, width=width)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    @property
    def live(self) -> bool:
        """Whether somebody watches: moving pictures go to terminals only."""
        return not self.json and self._err.is_terminal

    @property
    def screen(self) -> Console:
        """Where moving pictures are shown: standard error, so that standard output can go to a file."""
        return self._err

    def document(self, value: Any) -> None:
        """Write a JSON document."""
        self._out.file.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")

    def answer(self, value: Any, *lines: str) -> None:
        """Write `value` with --json, `lines` without."""
        if self.json:
            self.document(value)
        else:
            for line in lines:
                self.line(line)

    def line(self, text: str) -> None:
        """Write a line, as it is."""
        self._out.print(text, markup=False)

    def flush(self) -> None:
        """Have what was written seen now, also by a pipe."""
        self._out.file.flush()

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: frozenset[str] = frozenset()
    ) -> None:
        """Write a table; of an empty one only that there is nothing."""
        if not rows:
            self.line("none")
            return
        self._out.print(table_of(columns, rows, right=right), soft_wrap=False)

    def note(self, text: str) -> None:
        """Say something on the way, on standard error; nothing with --json."""
        if not self.json:
            self._err.print(text, markup=False)

    def error(self, code: str, message: str, problems: Sequence[Problem] = (), source: str = "") -> None:
        """Say why the command did not do what was asked, with every problem found. source: the file they are in."""
        if self.json:
            self.document({"error": {"code": code, "message": message, "problems": list(problems)}})
            return
        self._err.print(f"error: {message}", markup=False)
        for problem in problems:
            self._err.print(located(problem, source), markup=False)

    @contextmanager
    def progress(self, text: str) -> Iterator[Progressing]:
        """A progress bar that appears when the work takes longer than a moment; for terminals only."""
        with Bar(text, self._err if self.live else None) as bar:
            yield bar.show

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """A spinner while something of unknown length goes on; for terminals only."""
        if self.live:
            with self._err.status(text):
                yield
        else:
            yield


def output_of(context: typer.Context, json: bool) -> Output:
    """The output of the command being run; kept with the run, so that a failure is told in the same form."""
    output = Output(json=json)
    context.find_root().obj = output
    return output


def located(problem: Problem, source: str = "") -> str:
    """A problem on one line: ``file:line:column: severity: message [code] (path; hint)``."""
    place = [source] if source else []
    if problem.line is not None:
        place += [str(problem.line), *([str(problem.column)] if problem.column is not None else [])]
    asides = "; ".join(aside for aside in (problem.path, problem.hint) if aside)
    text = f"{problem.severity}: {problem.message} [{problem.code}]" + (f" ({asides})" if asides else "")
    return f"{':'.join(place)}: {text}" if place else f"  {text}"


def table_of(columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: frozenset[str] = frozenset()) -> Table:
    """A table without lines around it."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if hasattr(cell, "__rich_console__") else _plain(cell) for cell in row))
    return table


def _plain(cell: object) -> str:
    return escape("" if cell is None else str(cell))
