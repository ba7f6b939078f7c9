"""projections show, request, withdraw, retry-event, skip-event: acts on read models that a projector carries out."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import opened, opened_reading
from app.cli.options import DryRun, JsonOption, ReasonOption, known_words
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment, status
from queries.read_models import get_read_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.wiring import Wiring
    from commands.receipt import Receipt
    from domain.event import Cause

cli = typer.Typer()

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A read model, as `projections list` names it.")]
PositionArgument = Annotated[int, typer.Argument(min=0, metavar="POSITION", help="The position of the event.")]


@cli.command()
def show(context: typer.Context, name: NameArgument, json: JsonOption = False) -> None:
    """Show a read model: its tables, the act that is requested about it, and what each act would do."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = get_read_model(reading, name)
    if json:
        output.document(found)
        return
    model, request = found.model, found.request
    output.table(
        ("projection", "state", "position", "behind", "dead letters"),
        [(model.name, status(model.state), model.position, model.lag, model.dead_letters)],
    )
    for each in found.tables_aside:
        state = "finished" if each.finished else f"{each.percent}%"
        output.line(f"{each.slot} tables: {state}, at position {each.position:,}")
    if request is not None:
        why = f": {request.failure}" if request.failure else ""
        output.line(f"{request.act}: {request.state}, by {request.actor} at {moment(request.requested_at)}{why}")
    output.table(
        ("act", "events to read", "obstacle"), [(each.act, each.events, each.obstacle or "") for each in found.acts]
    )


@cli.command()
def request(
    context: typer.Context,
    name: NameArgument,
    act: Annotated[
        str, typer.Argument(metavar="ACT", help="rebuild, build, compare, promote, rollback, drop or verify.")
    ],
    reason: ReasonOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Request an act on a read model of a projector that runs, and return at once; see show for its progress."""
    from commands.read_models import RequestAct
    from store.read_model_requests import ACTS

    output = output_of(context, json)
    known_words("ACT", [act], ACTS)
    if dry_run:
        with opened_reading(output) as reading:
            plan = next(each for each in get_read_model(reading, name).acts if each.act == act)
        output.answer({"would": plan}, *([plan.obstacle] if plan.obstacle else plan.effects))
        return
    _carry_out(output, lambda wiring, cause: wiring.read_models.request(RequestAct(name, act, reason), cause),
               f"{name}: {act} is requested")  # fmt: skip


@cli.command()
def withdraw(context: typer.Context, name: NameArgument, reason: ReasonOption, json: JsonOption = False) -> None:
    """Withdraw the act that is requested about a read model; a build under way ends after its page."""
    from commands.read_models import WithdrawAct

    _carry_out(output_of(context, json),
               lambda wiring, cause: wiring.read_models.withdraw(WithdrawAct(name, reason), cause),
               f"{name}: the request is withdrawn")  # fmt: skip


@cli.command("retry-event")
def retry_event(
    context: typer.Context,
    name: NameArgument,
    position: PositionArgument,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Try a dead letter again: request a rebuild of its read model."""
    from commands.read_models import RetryDeadLetter

    command = RetryDeadLetter(name, position, reason)
    _carry_out(output_of(context, json),
               lambda wiring, cause: wiring.read_models.retry_letter(command, cause),
               f"{name}: rebuild is requested")  # fmt: skip


@cli.command("skip-event")
def skip_event(
    context: typer.Context,
    name: NameArgument,
    position: PositionArgument,
    reason: ReasonOption,
    json: JsonOption = False,
) -> None:
    """Skip a dead letter: its read model stays without the event, which no longer counts."""
    from commands.read_models import SkipDeadLetter

    command = SkipDeadLetter(name, position, reason)
    _carry_out(output_of(context, json),
               lambda wiring, cause: wiring.read_models.skip_letter(command, cause),
               f"{name}: the event at {position:,} is skipped")  # fmt: skip


def _carry_out(output: CommandOutput, handle: "Callable[[Wiring, Cause], Receipt]", done: str) -> None:
    from app.wiring import operator

    with opened(output) as wiring:
        receipt = handle(wiring, operator("cli:projections"))
    answer = {**receipt.facts, "new": not receipt.duplicate, "position": receipt.position}
    output.answer(answer, done if not receipt.duplicate else f"{done}, as before")
