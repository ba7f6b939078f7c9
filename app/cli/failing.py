"""Failures of commands: each known one ends the command with one clear line and an exit code, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer


@contextmanager
def failing(context: Any) -> Iterator[None]:
    """End the command inside with a message and an exit code when it raises a known error; raise every other again."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.TyperException, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # A command imports the errors of every room only when it fails.
        from app.cli.explaining import explain, problems_of, source_of
        from app.cli.output import CommandOutput

        explained = explain(error)
        if explained is None:
            raise
        code, message, exit_code = explained
        output = context.find_root().obj or CommandOutput(json=False)
        output.error(code, message, problems_of(error), source_of(error))
        raise typer.Exit(exit_code) from None
