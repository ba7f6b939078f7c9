"""Carries out a decision of an operator about an execution, or with --dry-run shows its events."""

from collections.abc import Callable
from uuid import UUID

from app.cli.names import naming
from app.cli.opening import opened
from app.cli.output import CommandOutput
from app.cli.wording import short
from app.installation import live_workers
from app.wiring import Wiring
from commands.receipt import Receipt
from domain.catalogue import STORED_NAMES
from domain.event import Event
from queries.events import stated


def carry_out(
    output: CommandOutput,
    handle: Callable[[Wiring], Receipt],
    *,
    what: str,
    done: str,
    already: str,
    facts: dict[str, object],
    dry_run: bool,
    needs_worker: bool = True,
    process: str = "",
) -> None:
    """Carry a command out through `handle` and write the outcome: `what` is `done`, or was `already`.

    facts: added to the receipt's in the answer. dry_run: record nothing, and write the events. needs_worker: a worker
    goes on with the execution; note if none is alive. process: the name by which the command states one.
    """
    with opened(output, rehearsal=dry_run) as wiring:
        with naming(wiring.datastore, "process", process):
            receipt = handle(wiring)
        if wiring.rehearsal is not None:
            _write_rehearsed(output, {**receipt.facts, **facts}, wiring.rehearsal.noted, f"{what}: {already}")
            return
        if needs_worker and live_workers(wiring.datastore) == 0:
            output.note("no worker is running: it goes on when `procession work` or `procession up` is started")
    answer = {**receipt.facts, **facts, "new": not receipt.duplicate, "position": receipt.position}
    output.answer(answer, f"{what}: {already if receipt.duplicate else done}")


def _write_rehearsed(
    output: CommandOutput, facts: dict[str, object], noted: list[tuple[UUID, Event]], already: str
) -> None:
    rows = [(stream, STORED_NAMES[type(event)], stated(event)) for stream, event in noted]
    if output.json:
        events = [{"stream": stream, "type": type, "data": data} for stream, type, data in rows]
        output.document({**facts, "would_record": events})
    elif rows:
        output.table(("would record", "data"), [(type, short(data, output.most)) for _, type, data in rows])
    else:
        output.line(f"{already}; nothing would be recorded")
