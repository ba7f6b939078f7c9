"""costs acknowledge, dismiss, snooze: what a person does with a cost alert."""

from typing import Annotated

import typer

from app.cli.options import DryRun, JsonOption
from app.cli.output import output_of
from edge.instants import parse_instant
from edge.references import alert_named

CostAlertArgument = Annotated[str, typer.Argument(metavar="ALERT", help="The id of a cost alert.")]
NoteOption = Annotated[str, typer.Option(help="For people; kept in the log.")]


def acknowledge(
    context: typer.Context,
    alert: CostAlertArgument,
    note: NoteOption = "",
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Note that you have seen a cost alert."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.alerts import AcknowledgeCostAlert

    command, cause = AcknowledgeCostAlert(alert_named(alert), note), operator("cli:costs")
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.alerts.acknowledge(command, cause),
        what=f"alert {command.alert_id}",
        done="acknowledged",
        already="acknowledged already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )


def dismiss(
    context: typer.Context,
    alert: CostAlertArgument,
    note: NoteOption = "",
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """End a cost alert; its window, or its execution, raises no other one at this level."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.alerts import DismissCostAlert

    command, cause = DismissCostAlert(alert_named(alert), note), operator("cli:costs")
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.alerts.dismiss(command, cause),
        what=f"alert {command.alert_id}",
        done="dismissed",
        already="dismissed already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )


def snooze(
    context: typer.Context,
    alert: CostAlertArgument,
    until: Annotated[str, typer.Option(metavar="TIME", help="When it is open again, as 2026-11-30T09:00:00Z.")],
    note: NoteOption = "",
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Let a cost alert be open again at an instant."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.alerts import SnoozeCostAlert

    try:
        at = parse_instant(until)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--until") from None
    command, cause = SnoozeCostAlert(alert_named(alert), at, note), operator("cli:costs")
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.alerts.snooze(command, cause),
        what=f"alert {command.alert_id}",
        done=f"snoozed until {until}",
        already="snoozed until then already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )
