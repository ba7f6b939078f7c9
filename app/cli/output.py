"""Output of a command: JSON or text on standard output, notes and errors on standard error."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from json.encoder import encode_basestring_ascii as escaped
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from app.cli.tables import table_lines
from app.plain import plain
from domain.refusal import Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from store.progress import Progress

# rich is imported where a line is printed: JSON needs none of it.

# The most characters of a value in a table: on a terminal, and in a file or a pipe.
VALUE, VALUE_IN_FILE = 200, 2_000


class CommandOutput:
    """The output of one command. json: one JSON document on standard output, whatever the outcome."""

    def __init__(self, *, json: bool) -> None:
        self.json = json

    @cached_property
    def _out(self) -> "Console":
        from rich.console import Console

        return Console(highlight=False, soft_wrap=True, emoji=False)

    @cached_property
    def width(self) -> int | None:
        """The columns of the terminal; None for a file or a pipe, in which lines are as long as they need be."""
        return self._out.width if sys.stdout.isatty() else None

    @property
    def most(self) -> int:
        """The most characters of a value in a table."""
        return VALUE_IN_FILE if self.width is None else VALUE

    @cached_property
    def screen(self) -> "Console":
        """The console for progress: standard error, so that standard output can go to a file."""
        from rich.console import Console

        return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

    @cached_property
    def live(self) -> bool:
        """Whether progress is shown: on terminals only."""
        return not self.json and self.screen.is_terminal

    def document(self, value: Any) -> None:
        """Write a JSON document."""
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        if not text.isascii() and (sys.stdout.encoding or "utf-8").lower() not in ("utf-8", "utf8"):
            # Everything beyond ASCII is inside texts, where an escape says the same.
            text = "".join(each if each.isascii() else escaped(each)[1:-1] for each in text)
        sys.stdout.write(f"{text}\n")

    def answer(self, value: Any, *lines: str) -> None:
        """Write `value` with --json, `lines` without."""
        if self.json:
            self.document(value)
        else:
            for line in lines:
                self.line(line)

    def line(self, text: str) -> None:
        """Write a line, as it is but for what a terminal would not print."""
        sys.stdout.write(f"{plain(text)}\n")

    def flush(self) -> None:
        """Pass the output on now, also to a pipe."""
        sys.stdout.flush()

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: frozenset[str] = frozenset()
    ) -> None:
        """Write a table, or ``none`` where it has no rows."""
        if not rows:
            self.line("none")
            return
        for line in table_lines(columns, rows, right=right, width=self.width):
            self._out.print(line, no_wrap=True, crop=False, overflow="ignore")

    def note(self, text: str) -> None:
        """Write a note to standard error; nothing with --json."""
        if not self.json:
            self.screen.print(plain(text), markup=False)

    def error(self, code: str, message: str, problems: Sequence[Problem] = (), source: str = "") -> None:
        """Write the message of a failure, with every problem. source: the file of the problems."""
        if self.json:
            self.document({"error": {"code": code, "message": message, "problems": list(problems)}})
            return
        # The message of many refusals ends with their first problem, which has a line of its own.
        shown = message.removesuffix(problems[0].message).removesuffix(": ") if problems else message
        if shown:
            self.screen.print(plain(f"error: {shown}"), markup=False)
        for problem in problems:
            self.screen.print(plain(located(problem, source)), markup=False)

    @contextmanager
    def progress(self, text: str) -> "Iterator[Progress]":
        """Show a progress bar once the work has taken half a second; on terminals only."""
        from app.cli.progress import Bar

        with Bar(text, self.screen if self.live else None) as bar:
            yield bar.show

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Show a spinner while work of unknown length goes on; on terminals only."""
        if self.live:
            with self.screen.status(text):
                yield
        else:
            yield


def output_of(context: typer.Context, json: bool) -> CommandOutput:
    """Return the output of the command that runs, and keep it, so that a failure has the same form."""
    output = CommandOutput(json=json)
    context.find_root().obj = output
    return output


def located(problem: Problem, source: str = "") -> str:
    """Return a problem on one line: ``file:line:column: severity: message [code] (path; hint)``."""
    place = [source] if source else []
    if problem.line is not None:
        place += [str(problem.line), *([str(problem.column)] if problem.column is not None else [])]
    asides = "; ".join(aside for aside in (problem.path, problem.hint) if aside)
    text = f"{problem.severity}: {problem.message} [{problem.code}]" + (f" ({asides})" if asides else "")
    return f"{':'.join(place)}: {text}" if place else f"  {text}"


def table_of(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: frozenset[str] = frozenset()
) -> "Table":
    """Return a table without lines around it."""
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if hasattr(cell, "__rich_console__") else _plain(cell) for cell in row))
    return table


def _plain(cell: object) -> str:
    from rich.markup import escape

    return escape("" if cell is None else plain(str(cell), kept=""))
