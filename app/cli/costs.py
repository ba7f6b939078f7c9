"""costs show, unpriced, prices, add-price, reprice; and the commands of alerts and thresholds."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from app.cli.cost_alert_acts import acknowledge, dismiss, snooze
from app.cli.cost_alerts import alerts, thresholds
from app.cli.cost_simulation import simulate
from app.cli.cost_thresholds import clear_threshold, set_threshold
from app.cli.lists import note_more
from app.cli.opening import opened, opened_reading
from app.cli.options import Cursor, JsonOption, Limit, ReasonOption
from app.cli.output import output_of
from app.cli.wording import moment
from edge.instants import parse_instant
from edge.references import execution_named

cli = typer.Typer(
    help="Costs of calls, prices, and the alerts that costs raise.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

cli.command()(alerts)
cli.command()(acknowledge)
cli.command()(dismiss)
cli.command()(snooze)
cli.command()(thresholds)
cli.command()(set_threshold)
cli.command()(clear_threshold)
cli.command()(simulate)

PricedModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="As the provider names it.")]


@cli.command()
def show(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="The id of an execution.")],
    json: JsonOption = False,
) -> None:
    """Show the cost of an execution by step and attempt."""
    from queries.definitions import Definitions
    from queries.execution_costs import get_execution_costs

    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = get_execution_costs(reading, Definitions(), execution_named(execution))
    if json:
        output.document(found)
        return
    columns = ("step", "attempt", "outcome", "provider", "model", "input", "cached", "output", "cost", "price", "notes")
    output.table(
        columns,
        [
            (
                step.step,
                use.attempt,
                use.outcome or "",
                use.provider or "",
                use.model or "",
                "" if use.tokens is None else use.tokens.input,
                "" if use.tokens is None else use.tokens.cache_read,
                "" if use.tokens is None else use.tokens.output,
                "not priced" if use.amount is None else f"{use.amount} {use.currency}",
                use.price_source or "",
                " ".join(use.flags),
            )
            for step in found.steps
            for use in step.attempts
        ],
    )
    if found.partial:
        output.note(f"partial: {found.total.unpriced} not priced")


@cli.command()
def unpriced(context: typer.Context, json: JsonOption = False) -> None:
    """List the uses that no price applies to, by model and reason."""
    from queries.costs import list_unpriced

    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = list_unpriced(reading)
    if json:
        output.document(found)
        return
    columns = ("provider", "model", "why", "uses", "executions", "input", "output", "first", "last")
    rows = [
        (
            each.provider or "",
            each.model or "",
            " ".join(each.flags),
            each.count,
            each.executions,
            each.input_tokens,
            each.output_tokens,
            moment(each.first_at),
            moment(each.last_at),
        )
        for each in found.items
    ]
    output.table(columns, rows)


@cli.command()
def prices(context: typer.Context, limit: Limit = 200, cursor: Cursor = None, json: JsonOption = False) -> None:
    """List the operator's prices, the newest first; public prices apply where there is none."""
    from queries.prices import PerMillion, list_prices

    output = output_of(context, json)
    with opened_reading(output) as reading:
        page = list_prices(reading, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = []
    for each in page.items:
        stated = {name: getattr(each.per_million, name) for name in PerMillion.__struct_fields__} | each.per_unit
        text = ", ".join(f"{name} {price}" for name, price in stated.items() if price is not None)
        until = "" if each.valid_to is None else moment(each.valid_to)
        rows.append((each.provider, each.model, moment(each.valid_from), until, each.currency, text))
    output.table(("provider", "model", "from", "until", "currency", "per million, or unit"), rows)
    note_more(output, page.next_cursor)


@cli.command("add-price")
def add_price(
    context: typer.Context,
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help='As uses name it; "" if it is not known.')],
    model: PricedModelArgument,
    price: Annotated[
        list[str],
        typer.Option(
            help="Of a million tokens: input=2.50, cache_read, cache_write_5m, cache_write_1h, output; repeat."
        ),
    ],
    valid_from: Annotated[str, typer.Option("--from", metavar="TIME", help="As 2026-11-01T00:00:00Z.")],
    valid_to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Exclusive.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Of one other unit: web_searches=0.01; repeat.")] = None,
    currency: Annotated[str, typer.Option(help="An ISO 4217 code.")] = "USD",
    json: JsonOption = False,
) -> None:
    """Add a price; it precedes earlier ones and public ones, and changes no cost that is booked."""
    from app.wiring import operator
    from commands.costs import AddPrice
    from domain.costs.prices import TOKEN_PRICES
    from domain.costs.unit_prices import UnitPrices

    output = output_of(context, json)
    of_tokens = _amounts("--price", price)
    if unknown := of_tokens.keys() - set(TOKEN_PRICES):
        raise typer.BadParameter(f"{sorted(unknown)[0]} is none of {', '.join(TOKEN_PRICES)}", param_hint="--price")
    prices = UnitPrices(currency, **of_tokens, per_unit=_amounts("--unit", unit or []))
    until = None if valid_to is None else _instant("--to", valid_to)
    command = AddPrice(provider, model, _instant("--from", valid_from), prices, until)
    with opened(output) as wiring:
        receipt = wiring.costs.add(command, operator("cli:costs"))
    answer = {**receipt.facts, "new": not receipt.duplicate, "position": receipt.position}
    output.answer(answer, f"{provider} {model}: " + ("has this price already" if receipt.duplicate else "price added"))


@cli.command()
def reprice(
    context: typer.Context,
    model: PricedModelArgument,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="The first instant.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="The first instant after.")],
    reason: ReasonOption,
    provider: Annotated[str | None, typer.Option(help="Only uses of this provider.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the differences; record nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Price the calls of a model in a period by the prices of now; reported costs stand."""
    from app.cli.caught_up import caught_up
    from app.wiring import operator
    from commands.costs import RepriceCosts
    from domain.costs.prices import RepricedPeriod
    from queries.costs import find_uses

    output = output_of(context, json)
    period = RepricedPeriod(provider or "", model, _instant("--from", begin), _instant("--to", end))
    with opened(output) as wiring, caught_up(output, wiring.reading) as reading:
        found = find_uses(reading, model, period.begin, period.end, provider)
        command = RepriceCosts(period, found.uses, reason, dry_run, found.complete)
        receipt = wiring.costs.reprice(command, operator("cli:costs"))
    answer = {**receipt.facts, "complete": found.complete, "position": receipt.position}
    if not json:
        columns = ("execution", "step", "attempt", "before", "after", "price")
        rows = [
            (
                each["execution_id"],
                each["step"],
                each["attempt"],
                _money(each["before"]),
                _money(each["after"]),
                each["price_source"],
            )
            for each in answer["items"]
        ]
        output.table(columns, rows)
    difference = " + ".join(_money(each) for each in answer["difference"]) or "0"
    word = "would change" if dry_run else "changed"
    output.answer(answer, f"{answer['corrected']} costs {word}, by {difference}")


def _money(money: dict[str, Any] | None) -> str:
    return "not priced" if money is None else f"{money['amount']} {money['currency']}"


def _amounts(option: str, given: list[str]) -> dict[str, Decimal]:
    found = {}
    for each in given:
        name, _, amount = each.partition("=")
        try:
            found[name] = Decimal(amount)
        except InvalidOperation:
            raise typer.BadParameter(f"{each!r} is not NAME=AMOUNT", param_hint=option) from None
        if not name or not found[name].is_finite():
            raise typer.BadParameter(f"{each!r} is not NAME=AMOUNT", param_hint=option)
    return found


def _instant(option: str, text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
