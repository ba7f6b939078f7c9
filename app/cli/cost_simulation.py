"""costs simulate: the alerts that a threshold would have raised."""

from decimal import Decimal
from typing import Annotated

import typer

from app.cli.failures import Failure
from app.cli.names import existing
from app.cli.opening import opened_reading
from app.cli.options import JsonOption, known_words
from app.cli.output import output_of
from app.cli.wording import moment

ProcessOfThresholds = Annotated[str, typer.Argument(metavar="PROCESS", help="The name or id of a process.")]
KINDS = ("per_execution", "daily", "weekly")


def simulate(
    context: typer.Context,
    process: ProcessOfThresholds,
    kind: Annotated[str, typer.Option(help="per_execution, daily or weekly.")],
    amount: Annotated[str, typer.Option(help="A decimal amount.")],
    currency: Annotated[str, typer.Option(help="An ISO 4217 code.")] = "USD",
    timezone: Annotated[str, typer.Option(help="Its midnights begin windows.")] = "UTC",
    days: Annotated[int, typer.Option(min=1, max=366, help="Of the past.")] = 30,
    json: JsonOption = False,
) -> None:
    """List the alerts that a threshold would have raised over the last days; raise none."""
    from app.clock import SYSTEM_CLOCK
    from domain.calendar.zones import read_zone
    from domain.money import parse_money
    from queries.thresholds import ProposedThreshold, simulate_threshold

    output = output_of(context, json)
    known_words("--kind", [kind], KINDS)
    try:
        value: Decimal = parse_money(amount, currency).amount
        read_zone(timezone)
    except ValueError as error:
        raise Failure("refused", str(error)) from None
    with opened_reading(output) as reading:
        [id] = existing(reading.datastore, "process", [process])
        proposed = ProposedThreshold(
            process_id=id, kind=kind, amount=value, currency=currency, timezone=timezone, days=days
        )
        found = simulate_threshold(reading, proposed, SYSTEM_CLOCK.now())
    if json:
        output.document(found)
        return
    rows = [
        (moment(each.at), each.before, each.after, each.crossing.step, each.crossing.execution_id)
        for each in found.items
    ]
    output.table(("at", "before", "after", "step", "execution"), rows)
    output.line(f"{found.count} {'alert' if found.count == 1 else 'alerts'} in {days} days")
