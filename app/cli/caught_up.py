"""Read models that wait for what was recorded before a command; one that lacks it is stated plainly."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from app.cli.output import CommandOutput
from domain.refusal import NotFound
from queries.caught_up import CaughtUpReading, LackCause, Lacking
from queries.reading import NotYet, Reading

_WORDS: dict[LackCause, str] = {
    "unattended": "no projector is running, and read models lack the newest events (`procession work` runs one)",
    "failed": "the read model {name} fails, and lacks the newest events (`procession projections list` says why)",
    "slow": "the read model {name} is catching up, and lacks the newest events",
}


@contextmanager
def caught_up(output: CommandOutput, reading: Reading) -> Iterator[CaughtUpReading]:
    """Yield the queries of `reading` for one command; note at its end that their answers lack events.

    Raises NotYet for what is not found then: the missing events may hold it.
    """
    waiting = CaughtUpReading(reading, waiting=partial(output.busy, "waiting for the read models"))
    try:
        yield waiting
    except NotFound as refusal:
        if waiting.lacking is None:
            raise
        raise NotYet(f"{refusal.message}; {_words(waiting.lacking)}") from None
    if waiting.lacking is not None:
        output.note(_words(waiting.lacking))


def require_caught_up(reading: CaughtUpReading) -> None:
    """Raise NotYet if an answer lacks events: an act on all that a filter finds may not leave any out."""
    if reading.lacking is not None:
        raise NotYet(_words(reading.lacking))


def _words(lacking: Lacking) -> str:
    return _WORDS[lacking.cause].format(name=lacking.projection)
