"""Options and arguments that several commands have."""

from collections.abc import Sequence
from typing import Annotated

import typer

from domain.words import did_you_mean


def words(text: str | None) -> str | None:
    """Return a text within the limits of HTTP: a length, and valid UTF-8. Raises BadParameter."""
    from commands.command import MAX_TEXT

    if text is None:
        return None
    if len(text) > MAX_TEXT:
        raise typer.BadParameter(f"has at most {MAX_TEXT:,} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("is not text in UTF-8") from None
    return text


def known_words(option: str, given: Sequence[str] | None, words: Sequence[str]) -> list[str]:
    """Return the words given. Raises BadParameter for one that is not among `words`, with the nearest of them."""
    for word in given or []:
        if word not in words:
            hint = did_you_mean(word, words) or f"there are {', '.join(words)}"
            raise typer.BadParameter(f"there is no {word!r}; {hint}", param_hint=option)
    return list(given or [])


def _why(text: str) -> str | None:
    if not text.strip():
        raise typer.BadParameter("says why")
    return words(text)


JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Treat every warning as an error.")]
NameOption = Annotated[
    str | None, typer.Option("--name", help="The name of the process, in the place of {{name}} or where there is none.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
ExecutionArgument = Annotated[str, typer.Argument(metavar="EXECUTION", help="The id of an execution.")]
StepArgument = Annotated[str, typer.Argument(metavar="STEP", help="The id of one of its steps.", callback=words)]
ReasonOption = Annotated[str, typer.Option(help="The reason, for people.", callback=_why)]
Limit = Annotated[int, typer.Option(min=1, max=200, help="At most this number.")]
Cursor = Annotated[str | None, typer.Option(help="Go on where the page before ended: its next_cursor.")]
Host = Annotated[str | None, typer.Option(help="Listen on this address [PROCESSION_HOST; default: 127.0.0.1].")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Listen on this port [PROCESSION_PORT; 8080].")]
LeaseOption = Annotated[str | None, typer.Option(help="How long a worker keeps its steps without a renewal [10s].")]
MaxOpen = Annotated[int | None, typer.Option(min=1, max=20_000, help="Agent calls open at once [1000].")]
HoldSchedules = Annotated[
    bool,
    typer.Option("--hold-upgraded-schedules", help="Register schedules of versions published before paused."),
]
Drain = Annotated[str | None, typer.Option(help="How long to wait for open calls at the end [30s].")]
