"""Answers of agents that cannot be recorded yet: kept with their attempts on the due list."""

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.agents.calls import Accepted, Answer, Completed, Failed
from store import arrays
from store.lists.due_steps import LATER
from store.sizes import FULL_PAGE

logger = logging.getLogger(__name__)

KEEP = """
update due_steps d set answered = x.attempt, answer = x.answer, owner = null, due_at = greatest(d.due_at, now() + %b)
from unnest(%b, %b, %b, %b) as x(execution_id, step, attempt, answer)
where d.execution_id = any(%b) and d.execution_id = x.execution_id and d.step = x.step and d.attempt = x.attempt
  and (d.owner is null or d.owner = %b) is true"""
KEPT = """
select execution_id, step, attempt, answer from (
  select d.execution_id, d.step, d.attempt, d.answer,
    sum(octet_length(d.answer)) over (order by d.execution_id, d.step) - octet_length(d.answer) as before
  from due_steps d join unnest(%b, %b, %b) as x(execution_id, step, attempt)
    on d.execution_id = x.execution_id and d.step = x.step and d.attempt = x.attempt and d.answered = x.attempt
  where d.execution_id = any(%b) and (d.owner = %b) is true) answers
where before < %b"""

_Attempt = tuple[UUID, str, int]


class KeptAnswer(msgspec.Struct, omit_defaults=True):
    """The stored form of an answer: one of the three kinds."""

    completed: Completed | None = None
    failed: Failed | None = None
    accepted: Accepted | None = None


def keep(connection: Connection[Any], worker: UUID, answers: Iterable[tuple[_Attempt, Answer]]) -> list[Exception]:
    """Keep answers with their attempts, which go back on the list; return the errors of those without a stored form.

    An attempt that is over, or that another worker has, keeps none.
    """
    stored: list[tuple[_Attempt, bytes]] = []
    errors: list[Exception] = []
    for attempt, answer in answers:
        try:
            stored.append((attempt, encode(answer)))
        except Exception as error:  # noqa: BLE001 - the caller logs it; the others are kept
            errors.append(error)
    for page in _pages(stored):
        connection.execute(
            KEEP,
            (
                LATER,
                arrays.uuids([id for (id, _, _), _ in page]),
                arrays.texts([step for (_, step, _), _ in page]),
                arrays.ints([number for (_, _, number), _ in page]),
                arrays.byteas([answer for _, answer in page]),
                arrays.uuids([id for (id, _, _), _ in page]),
                worker,
            ),
        )
    return errors


def kept(connection: Connection[Any], worker: UUID, attempts: Collection[_Attempt]) -> list[tuple[_Attempt, Answer]]:
    """Return the answers kept with attempts that `worker` has claimed, up to FULL_PAGE bytes or one.

    An answer that a newer release kept in another form is logged, and left to that release.
    """
    keys = (
        arrays.uuids([id for id, _, _ in attempts]),
        arrays.texts([step for _, step, _ in attempts]),
        arrays.ints([number for _, _, number in attempts]),
    )
    rows = connection.execute(KEPT, (*keys, keys[0], worker, FULL_PAGE)).fetchall()
    found: list[tuple[_Attempt, Answer]] = []
    for row in rows:
        attempt = row["execution_id"], row["step"], row["attempt"]
        try:
            found.append((attempt, decode(bytes(row["answer"]))))
        except msgspec.MsgspecError as error:
            logger.warning("the answer kept with step %s of execution %s cannot be read: %s", *attempt[1::-1], error)
    return found


def encode(answer: Answer) -> bytes:
    """Return the stored form of an answer."""
    if isinstance(answer, Completed):
        return msgspec.json.encode(KeptAnswer(completed=answer))
    if isinstance(answer, Failed):
        return msgspec.json.encode(KeptAnswer(failed=answer))
    return msgspec.json.encode(KeptAnswer(accepted=answer))


def decode(stored: bytes) -> Answer:
    """Return the answer of a stored form."""
    kept = msgspec.json.decode(stored, type=KeptAnswer)
    return kept.completed or kept.failed or kept.accepted or Accepted()


def _pages(stored: Sequence[tuple[_Attempt, bytes]]) -> Iterable[list[tuple[_Attempt, bytes]]]:
    page: list[tuple[_Attempt, bytes]] = []
    size = 0
    for each in stored:
        page.append(each)
        size += len(each[1])
        if size >= FULL_PAGE:
            yield page
            page, size = [], 0
    if page:
        yield page
