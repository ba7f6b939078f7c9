"""Commands of operators about read models: request an act of the projector, withdraw it; retry, skip a dead letter."""

import logging
from typing import Annotated, Any
from uuid import UUID

import msgspec

from commands.command import Beside, Command, CommandScope, Reason
from commands.deciding import Identified, persist, unidentified
from commands.receipt import Receipt
from domain.event import Cause
from domain.identity import new_id
from domain.refusal import Forbidden, NotFound
from domain.words import no_such
from store import read_model_requests, skipped_letters
from store.log import Log
from store.read_model_requests import ACTS, ReadModelAct
from store.unit import Unit

logger = logging.getLogger(__name__)

ProjectionName = Annotated[str, Beside()]
NEEDS = {"compare": "building", "promote": "building", "rollback": "previous"}


class RequestAct(Command, frozen=True):
    """Request an act on the tables of a read model, which a projector carries out. reason: why, for people."""

    scope = CommandScope.OPERATIONS_WRITE
    projection: ProjectionName
    act: Annotated[str, Beside()]
    reason: Reason


class WithdrawAct(Command, frozen=True):
    """Withdraw the open request about a read model. reason: why, for people."""

    scope = CommandScope.OPERATIONS_WRITE
    projection: ProjectionName
    reason: Reason


class RetryDeadLetter(Command, frozen=True):
    """Try a dead letter again: build the read model anew, since a later event cannot precede it. reason: why."""

    scope = CommandScope.OPERATIONS_WRITE
    projection: ProjectionName
    position: Annotated[int, Beside()]
    reason: Reason


class SkipDeadLetter(Command, frozen=True):
    """Skip a dead letter: the read model stays without the event. reason: why, for people."""

    scope = CommandScope.OPERATIONS_WRITE
    projection: ProjectionName
    position: Annotated[int, Beside()]
    reason: Reason


class ReadModelNotFound(NotFound):
    """There is no such read model."""

    code = "read_model_not_found"


class RequestOpen(Forbidden):
    """Another act on the read model is requested already."""

    code = "request_open"


class NoTables(Forbidden):
    """There are no tables that the act could use."""

    code = "no_tables"


class NoRequestOpen(NotFound):
    """No act on the read model is requested."""

    code = "no_request_open"


class NoDeadLetter(NotFound):
    """The read model has no dead letter at the position."""

    code = "dead_letter_not_found"


class ReadModelCommands:
    """The handlers of the commands above. They record no event: the rows state who requested what, and why."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def request(self, command: RequestAct, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Request the act; the same one, while it is open, is a duplicate.

        Raises ReadModelNotFound, RequestOpen or NoTables.
        """
        return self._request(command.projection, _known(command.act), command.reason, cause, identified)

    def withdraw(self, command: WithdrawAct, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Withdraw the open request; a build ends after its page. Raises ReadModelNotFound, NoRequestOpen."""
        why = f"{cause.actor}: {command.reason}"
        with self._log.datastore.reading() as connection:
            _require_known(connection, command.projection)
            found = read_model_requests.withdraw(connection, command.projection, why)
        if found is None:
            raise NoRequestOpen(f"no act on {command.projection[:80]!r} is requested")
        logger.info("%s withdrew %s of %s: %s", cause.actor, found.act, found.projection, command.reason)
        return self._answer(_receipt(found.projection, found.act, found.request_id), identified)

    def retry_letter(self, command: RetryDeadLetter, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Request a rebuild of the read model. Raises ReadModelNotFound, NoDeadLetter, RequestOpen."""
        self._require_letter(command.projection, command.position)
        reason = f"event {command.position}: {command.reason}"
        return self._request(command.projection, "rebuild", reason, cause, identified)

    def skip_letter(self, command: SkipDeadLetter, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Skip the dead letter; again: a duplicate. Raises ReadModelNotFound, NoDeadLetter."""
        name, position = command.projection, command.position
        self._require_letter(name, position)
        with self._log.datastore.reading() as connection:
            new = skipped_letters.skip(connection, name, position, cause.actor, command.reason)
        logger.info("%s skipped the event at %d in %s: %s", cause.actor, position, name, command.reason)
        facts = {"projection": name, "letter": position}
        return self._answer(Receipt(new_id(), 0, facts, duplicate=not new), identified)

    def _request(self, name: str, act: ReadModelAct, reason: str, cause: Cause, identified: Identified) -> Receipt:
        id = new_id()
        with self._log.datastore.reading() as connection:
            _require_known(connection, name)
            slot = NEEDS.get(act)
            before = read_model_requests.find(connection, name)
            is_open = before is not None and before.state in ("requested", "running")
            if slot is not None and not is_open and not read_model_requests.has_tables(connection, name, slot):
                raise NoTables(f"{name[:80]} has no {slot} tables" + _HINTS[act])
            made = read_model_requests.put(connection, name, id, act, cause.actor, reason)
            found = made or read_model_requests.find(connection, name)
        assert found is not None
        if made is None and found.act != act:
            raise RequestOpen(f"{found.act} of {name} is requested already, by {found.actor}; withdraw it, or wait")
        logger.info("%s requested %s of %s: %s", cause.actor, act, name, reason)
        return self._answer(_receipt(name, act, found.request_id, duplicate=made is None), identified)

    def _require_letter(self, name: str, position: int) -> None:
        with self._log.datastore.reading() as connection:
            _require_known(connection, name)
            if not skipped_letters.is_letter(connection, name, position):
                raise NoDeadLetter(f"{name[:80]} has no dead letter at position {position}")

    def _answer(self, receipt: Receipt, identified: Identified) -> Receipt:
        """Return the receipt, kept under the key of the command if it has one."""

        def attempt() -> Receipt:
            answered = identified(receipt)
            if answered is None:
                return msgspec.structs.replace(receipt, position=self._log.last_position())
            unit = Unit(receipt.stream, 0, [], answered=answered)
            return msgspec.structs.replace(receipt, position=self._log.append(unit))

        return persist(self._log, attempt, receipt.stream)


_HINTS = {
    "compare": "; build them first",
    "promote": "; build them first",
    "rollback": "; the next build, or a rebuild, has dropped them",
}


def _require_known(connection: Any, name: str) -> None:
    known = read_model_requests.names(connection)
    if name not in known:
        raise ReadModelNotFound(no_such("read model", name, known))


def _known(act: str) -> ReadModelAct:
    found = next((each for each in ACTS if each == act), None)
    if found is None:
        raise NotFound(f"there is no act {act[:40]!r} on read models; they are {', '.join(ACTS)}")
    return found


def _receipt(name: str, act: ReadModelAct, request_id: UUID, *, duplicate: bool = False) -> Receipt:
    facts = {"projection": name, "act": act, "request_id": str(request_id)}
    return Receipt(request_id, 0, facts, duplicate=duplicate)
