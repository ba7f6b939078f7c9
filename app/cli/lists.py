"""The lines below a list: its next page, and a note where read models are behind."""

from app.cli.output import CommandOutput
from app.cli.wording import seconds

LAG_WORTH_SAYING_SECONDS = 5.0
NUMBERS = frozenset({"steps", "duration", "tokens", "cost", "attempts", "version", "position", "overdue"})


def note_lag(output: CommandOutput, lag_seconds: float) -> None:
    """Note that read models are far behind: most likely no projector runs."""
    if lag_seconds > LAG_WORTH_SAYING_SECONDS:
        output.note(f"read models are {seconds(lag_seconds)} behind: is a projector running (`procession work`)?")


def note_more(output: CommandOutput, cursor: str | None) -> None:
    """Write how to request the next page, if there is one."""
    if cursor is not None:
        output.line(f"more: --cursor {cursor}")
