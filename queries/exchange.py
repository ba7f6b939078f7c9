"""Questions whose statements go to the server together: an answer of many lists takes one round trip."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import DictRow

from queries.reading import Freshness, Reading, ReadModelRebuilding, read_all_states, send

T = TypeVar("T")


class Question(msgspec.Struct, Generic[T], frozen=True):
    """One statement, and how its rows become a view. projection: the read model of whose freshness the view speaks.

    beside: the other read models that the statement reads. binary: the server sends the rows in binary.
    """

    projection: str
    query: str
    parameters: Any
    view: Callable[[list[DictRow], Freshness], T]
    beside: tuple[str, ...] = ()
    binary: bool = False


class PendingView(Generic[T]):
    """The answer to one question of an exchange."""

    __slots__ = ("_given", "_refusal", "question")

    def __init__(self, question: Question[T]) -> None:
        self.question = question
        self._given: Callable[[], T] | None = None
        self._refusal: ReadModelRebuilding | None = None

    def give(self, given: Callable[[], T]) -> None:
        """Keep how the view is made."""
        self._given = given

    def refuse(self, refusal: ReadModelRebuilding) -> None:
        """Keep why there is no view."""
        self._refusal = refusal

    def view(self) -> T:
        """Return the view, after the exchange. Raises ReadModelRebuilding."""
        if self._refusal is not None:
            raise self._refusal
        assert self._given is not None, "the exchange is not over"
        return self._given()

    def unless_built(self) -> T | None:
        """Return the view; None while its read model is built: the rest of a page does without."""
        return None if self._refusal is not None else self.view()


class Exchange:
    """The questions of one exchange, in order."""

    def __init__(self) -> None:
        self.answers: list[PendingView[Any]] = []

    def add(self, question: Question[T]) -> PendingView[T]:
        """Add a question; its answer is there after the exchange."""
        answer = PendingView(question)
        self.answers.append(answer)
        return answer


@contextmanager
def exchange(reading: Reading) -> Iterator[Exchange]:
    """Yield an exchange to add questions to; at the end of the block they are answered.

    The freshness of all is read first, so that their rows are at least as fresh. Raises Outage.
    """
    together = Exchange()
    yield together
    try:
        _answer_together(reading, together.answers)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        # A read model has no tables of this release yet, or a switch has replaced them in between: the others answer.
        for each in together.answers:
            _answer_alone(reading, each)


def answer(reading: Reading, question: Question[T], min_position: int | None = None) -> T:
    """Return the answer to one question. Raises NotYet, LogWentBack, ReadModelRebuilding, or Outage."""
    with reading.of(question.projection, min_position, beside=question.beside) as (connection, freshness):
        rows = send(connection, question.query, question.parameters, binary=question.binary).fetchall()
    return question.view(rows, freshness)


def _answer_together(reading: Reading, answers: Sequence[PendingView[Any]]) -> None:
    projections = sorted({each.question.projection for each in answers})
    reading.catch_up(*projections, *(name for each in answers for name in each.question.beside))
    epoch = reading.epoch
    with reading.datastore.reading() as connection:
        with connection.pipeline():
            states = read_all_states(connection, projections)
            cursors = [_sent(connection, each.question) for each in answers]
        known = {row["name"]: row for row in states.fetchall()}
        found = [cursor.fetchall() for cursor in cursors]
    for each, rows in zip(answers, found, strict=True):
        try:
            freshness = reading.freshness_of(known[each.question.projection], each.question.projection, epoch)
        except ReadModelRebuilding as refusal:
            each.refuse(refusal)
        else:
            each.give(partial(each.question.view, rows, freshness))


def _sent(connection: Connection[DictRow], question: Question[Any]) -> Cursor[DictRow]:
    return send(connection, question.query, question.parameters, binary=question.binary)


def _answer_alone(reading: Reading, to: PendingView[T]) -> None:
    try:
        found = answer(reading, to.question)
    except ReadModelRebuilding as refusal:
        to.refuse(refusal)
    else:
        to.give(lambda: found)
