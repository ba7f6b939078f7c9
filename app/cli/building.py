"""projections build, diff, promote, rollback, drop: read tables beside those in use, for a switch by hand."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failures import Failure
from app.cli.opening import opened
from app.cli.options import DryRun, JsonOption
from app.cli.output import CommandOutput, output_of
from app.cli.wording import seconds, short
from domain.words import did_you_mean

if TYPE_CHECKING:
    from projections.differing import TableDifference
    from projections.projection import Projection
    from projections.switching import Switched

cli = typer.Typer()

ModelArgument = Annotated[str, typer.Argument(metavar="NAME", help="A read model, as `projections list` names it.")]

NUMBERS = frozenset({"rows in use", "rows built", "differing"})


@cli.command()
def build(context: typer.Context, name: ModelArgument, dry_run: DryRun = False, json: JsonOption = False) -> None:
    """Build new tables of a read model beside those in use, which stay in use: see diff and promote.

    Drop the previous tables, and those of an earlier build. Safe to interrupt and to run again.
    """
    from projections import rebuilding as by_hand

    output, projection = output_of(context, json), _projection(name)
    with opened(output) as wiring:
        if dry_run:
            events = wiring.log.last_position()
            output.answer({"would_build": name, "events": events}, f"{name}: would be built from {events:,} events")
            return
        with output.progress(f"building {name}") as progress:
            built = by_hand.build(wiring.datastore, projection, progress)
    answer = {"name": name, "events": built.events, "seconds": built.seconds}
    output.answer(answer, f"{name}: built from {built.events:,} events in {seconds(built.seconds)}, not in use yet")


@cli.command("diff")
def diff_(context: typer.Context, name: ModelArgument, json: JsonOption = False) -> None:
    """Show which rows and columns differ between the tables built for a read model and those in use."""
    from projections.differing import diff

    output, projection = output_of(context, json), _projection(name)
    with opened(output) as wiring, output.progress(f"comparing {name}") as progress:
        position, tables = diff(wiring.datastore, projection, progress)
    if json:
        output.document({"name": name, "position": position, "tables": tables})
    else:
        _show(output, tables)


@cli.command()
def promote(context: typer.Context, name: ModelArgument, dry_run: DryRun = False, json: JsonOption = False) -> None:
    """Put the tables built for a read model in the place of those in use, which are kept for rollback."""
    from projections import rebuilding as by_hand

    output, projection = output_of(context, json), _projection(name)
    with opened(output) as wiring, output.progress(f"catching up {name}") as progress:
        switched = by_hand.promote(wiring.datastore, projection, progress, dry_run=dry_run)
    _answer(output, name, switched, "promote", dry_run)


@cli.command()
def rollback(context: typer.Context, name: ModelArgument, dry_run: DryRun = False, json: JsonOption = False) -> None:
    """Put the previous tables of a read model back in their place, brought up to date; those in use are kept.

    Previous tables of another release's shape are brought up to date by a projector of that release.
    """
    from projections import rebuilding as by_hand

    output, projection = output_of(context, json), _projection(name)
    with opened(output) as wiring, output.progress(f"catching up {name}") as progress:
        switched = by_hand.rollback(wiring.datastore, projection, progress, dry_run=dry_run)
    _answer(output, name, switched, "roll_back", dry_run)


@cli.command()
def drop(context: typer.Context, name: ModelArgument, dry_run: DryRun = False, json: JsonOption = False) -> None:
    """Drop the tables of a read model that are not in use: those built and not promoted, and the previous ones."""
    from projections import rebuilding as by_hand

    output, projection = output_of(context, json), _projection(name)
    with opened(output) as wiring:
        slots = by_hand.drop(wiring.datastore, projection, dry_run=dry_run)
    verb = "would drop" if dry_run else "dropped"
    lines = [f"{name}: {verb} the {slot} tables" for slot in slots] or [f"{name}: there is nothing to drop"]
    output.answer({"name": name, "would_drop" if dry_run else "dropped": slots}, *lines)


def _answer(output: CommandOutput, name: str, switched: "Switched", verb: str, dry_run: bool) -> None:
    answer: dict[str, Any] = {"name": name, "position": switched.position, "other_shape": switched.other_shape}
    said = "would be in use" if dry_run else "in use"
    lines = [f"{name}: {said} from position {switched.position:,} on"]
    if switched.other_shape:
        lines.append(f"{name}: its tables have the shape of another release, which must run to bring them up to date")
    output.answer({f"would_{verb}": answer} if dry_run else answer, *lines)


def _show(output: CommandOutput, tables: "list[TableDifference]") -> None:
    columns = ("table", "rows in use", "rows built", "differing", "columns added", "columns removed")
    rows = [
        (
            each.table,
            each.rows_live,
            each.rows_built,
            each.differing,
            ", ".join(each.columns_added),
            ", ".join(each.columns_removed),
        )
        for each in tables
    ]
    output.table(columns, rows, right=NUMBERS)
    for sample in (sample for each in tables for sample in each.samples):
        output.line(f"  {sample.table} {short(sample.key, 80)}")
        output.line(f"    in use: {_row(sample.live)}")
        output.line(f"    built:  {_row(sample.rebuilt)}")


def _row(row: dict[str, Any] | None) -> str:
    return "missing" if row is None else short(row, 300)


def _projection(name: str) -> "Projection[Any]":
    # Both import every projection; only the commands of this file, rebuild and verify need them.
    from app.read_models import READ_MODELS
    from projections import ALL

    by_name = {projection.name: projection for projection in ALL}
    if name in by_name:
        return by_name[name]
    if name in {model.name for model in READ_MODELS}:
        raise Failure(
            "not_built_aside", f"every append keeps {name}, in place; `procession projections rebuild {name}`"
        )
    hint = did_you_mean(name, by_name) or f"there are {', '.join(by_name)}"
    raise typer.BadParameter(f"there is no read model {name!r}; {hint}", param_hint="NAME")
