"""projections list, rebuild, verify, dead-letters: read models, for operators; the rest in app/cli/building.py."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer

from app.cli import building
from app.cli.failures import FAILED
from app.cli.lists import note_more
from app.cli.opening import opened, opened_reading
from app.cli.options import Cursor, DryRun, JsonOption, Limit
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment, seconds, short, status
from domain.words import did_you_mean
from queries.dead_letters import list_dead_letters
from queries.projections import ProjectionView, list_projections

if TYPE_CHECKING:
    from rich.text import Text

    from app.read_models import ReadModel, Verifiable
    from app.wiring import Wiring

M = TypeVar("M", bound="Verifiable")

cli = typer.Typer(
    help="Read models: tables that projections build from the log.", no_args_is_help=True, rich_markup_mode=None
)
cli.add_typer(building.cli)

NUMBERS = frozenset({"position", "behind", "lag", "events", "rows", "differing"})


@cli.command("list")
def list_(context: typer.Context, json: JsonOption = False) -> None:
    """List read models with their positions and how far they are behind the log."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = list_projections(reading)
    if json:
        output.document(found)
        return
    rows = [
        (each.name, _state(each), each.position, each.lag, seconds(each.lag_seconds), each.last_error)
        for each in found.items
    ]
    output.table(("projection", "state", "position", "behind", "lag", "last error"), rows, right=NUMBERS)


@cli.command()
def rebuild(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, one after the other.")] = False,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Build read models anew from the log, beside the ones in use, and put them in their place.

    Readers continue meanwhile. Safe to interrupt and to run again; a second rebuild at the same time is refused.
    """
    output = output_of(context, json)
    if bool(names) == everything:
        raise typer.BadParameter("name read models, or give --all", param_hint="NAME")
    chosen = _chosen(names)
    with opened(output) as wiring:
        if dry_run:
            _write_plan(output, wiring, chosen)
            return
        results = [_rebuild(output, wiring, model) for model in chosen]
    output.answer({"rebuilt": results})


@cli.command()
def verify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All of them without a name.")] = None,
    json: JsonOption = False,
) -> None:
    """Prove that read models agree with the log: rebuild them aside and compare. Changes nothing.

    The name `streams` stands for the log: no event in the middle of a stream is missing. Exit code 1 if a row differs,
    an event is parked, or a stream has a hole.
    """
    from app.read_models import VERIFIABLE

    output = output_of(context, json)
    chosen = _named(names, VERIFIABLE)
    with opened(output) as wiring:
        results = [_verify(output, wiring, model) for model in chosen]
    output.answer({"verified": results})
    if any(result["differing"] or result["parked"] for result in results):
        raise typer.Exit(FAILED)


@cli.command("dead-letters")
def dead_letters_(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, json: JsonOption = False) -> None:
    """List the events that a read model failed to apply and skipped; a rebuild tries them again."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        page = list_dead_letters(reading, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = [(each.projection, each.tables.replace("_", " "), each.position, each.type, moment(each.at), each.error)
            for each in page.items]  # fmt: skip
    output.table(("projection", "tables", "position", "type", "at", "error"), rows, right=NUMBERS)
    note_more(output, page.next_cursor)


def _state(view: ProjectionView) -> "Text":
    """Return the state, and how far the next tables are while they are built."""
    percent = "" if view.building is None else f" {view.building.percent}%"
    return status(view.state).append(percent)


def _chosen(names: Sequence[str] | None) -> "list[ReadModel]":
    from app.read_models import READ_MODELS  # imports every projection, which only rebuild and verify need

    return _named(names, READ_MODELS)


def _named(names: Sequence[str] | None, known: "Sequence[M]") -> "list[M]":
    """Return those of `known` that have these names; all of them without names. Raises BadParameter."""
    by_name = {model.name: model for model in known}
    for name in names or []:
        if name not in by_name:
            hint = did_you_mean(name, by_name) or f"there are {', '.join(by_name)}"
            raise typer.BadParameter(f"there is no read model {name!r}; {hint}", param_hint="NAME")
    return [by_name[name] for name in dict.fromkeys(names)] if names else list(known)


def _write_plan(output: CommandOutput, wiring: "Wiring", chosen: "Sequence[ReadModel]") -> None:
    events = wiring.log.last_position()
    lines = [f"{model.name}: would be rebuilt from {events:,} events" for model in chosen]
    output.answer({"would_rebuild": [model.name for model in chosen], "events": events}, *lines)


def _rebuild(output: CommandOutput, wiring: "Wiring", model: "ReadModel") -> dict[str, Any]:
    with output.progress(f"rebuilding {model.name}") as progress:
        built = model.rebuild(wiring.datastore, progress)
    if not output.json:
        output.line(f"{model.name}: rebuilt from {built.events:,} events in {seconds(built.seconds)}")
    return {"name": model.name, "events": built.events, "seconds": built.seconds}


def _verify(output: CommandOutput, wiring: "Wiring", model: "Verifiable") -> dict[str, Any]:
    with output.progress(f"verifying {model.name}") as progress:
        found = model.verify(wiring.datastore, progress)
    if not output.json:
        outcome = f"{found.differing:,} differ" if found.differing else "all as the log says"
        output.line(f"{model.name}: {found.rows:,} rows, {outcome}")
        for sample in found.samples:
            output.line(f"  {sample.table} {short(sample.key, 80)}")
            output.line(f"    is:        {_row(sample.live)}")
            output.line(f"    should be: {_row(sample.rebuilt)}")
        if found.parked:
            output.line(
                f"  {found.parked:,} events are parked: the rows lack them (`procession projections dead-letters`)"
            )
        for parked in found.parked_events:
            output.line(f"    position {parked.position}: {short(parked.error, 300)}")
    return {"name": model.name, **msgspec.structs.asdict(found)}


def _row(row: dict[str, Any] | None) -> str:
    return "missing" if row is None else short(row, 300)
