"""costs set-threshold, clear-threshold."""

from typing import Annotated

import typer

from app.cli.cost_simulation import KINDS, ProcessOfThresholds
from app.cli.names import naming
from app.cli.opening import opened_reading
from app.cli.options import DryRun, JsonOption, known_words
from app.cli.output import output_of
from edge.references import process_named

KindOption = Annotated[str, typer.Option(help="per_execution, daily or weekly.")]


def set_threshold(
    context: typer.Context,
    process: ProcessOfThresholds,
    kind: KindOption,
    amount: Annotated[str, typer.Option(help="A decimal amount.")],
    currency: Annotated[str, typer.Option(help="An ISO 4217 code.")] = "USD",
    warn_at: Annotated[float | None, typer.Option(help="The fraction of the amount that warns, as 0.8.")] = None,
    on_alert: Annotated[
        str | None, typer.Option(help="pause_schedules; of per_execution also cancel_execution. Default: nothing.")
    ] = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Set the threshold of one kind, in place of its levels before; the other kinds stay."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.cost_thresholds import WrittenLevel
    from edge.proposed_limits import with_levels
    from queries.thresholds import get_thresholds

    output, id = output_of(context, json), process_named(process)
    known_words("--kind", [kind], KINDS)
    with opened_reading(output) as reading, naming(reading.datastore, "process", process):
        found = get_thresholds(reading, id)
    command = with_levels(found, kind, [WrittenLevel(amount, currency, warn_at, on_alert)])
    cause = operator("cli:costs")
    carry_out(
        output,
        lambda wiring: wiring.cost_thresholds.set(command, cause),
        what=f"{kind} costs of {process}",
        done=f"threshold set to {amount} {currency}",
        already="this threshold is in force already",
        facts={"kind": kind},
        dry_run=dry_run,
        needs_worker=False,
        process=process,
    )


def clear_threshold(
    context: typer.Context,
    process: ProcessOfThresholds,
    kind: KindOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Take the threshold of one kind out of force; its alerts are resolved."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.cost_thresholds import ClearCostThreshold

    known_words("--kind", [kind], KINDS)
    command, cause = ClearCostThreshold(process_named(process), kind), operator("cli:costs")
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.cost_thresholds.clear(command, cause),
        what=f"{kind} costs of {process}",
        done="threshold cleared",
        already="no threshold is in force",
        facts={"kind": kind},
        dry_run=dry_run,
        needs_worker=False,
        process=process,
    )
