"""calendars list, show, set."""

from typing import Annotated

import typer

from app.cli.opening import opened, opened_reading
from app.cli.options import JsonOption, words
from app.cli.output import output_of
from edge.references import calendar_named

cli = typer.Typer(
    help="Calendars, the days on which schedules make exceptions.", no_args_is_help=True, rich_markup_mode=None
)

CalendarArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of a calendar.")]


@cli.command("list")
def list_(context: typer.Context, json: JsonOption = False) -> None:
    """List calendars by name."""
    from queries.calendars import list_calendars

    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = list_calendars(reading)
    if json:
        output.document(found)
        return
    rows = [(each.name, each.version, len(each.days), each.description) for each in found.items]
    output.table(("calendar", "version", "entries", "description"), rows)


@cli.command()
def show(context: typer.Context, name: CalendarArgument, json: JsonOption = False) -> None:
    """Show the days of a calendar, a line each."""
    from queries.calendars import get_calendar

    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = get_calendar(reading, calendar_named(name))
    if json:
        output.document(found)
        return
    for day in found.days:
        output.line(day)


@cli.command("set")
def set_(
    context: typer.Context,
    name: CalendarArgument,
    days: Annotated[list[str], typer.Argument(metavar="DAY...", help="Dates, and ranges: 2026-12-24..2026-12-26.")],
    description: Annotated[str, typer.Option(help="For people.", callback=words)] = "",
    json: JsonOption = False,
) -> None:
    """Give a calendar its days; the schedules that use it follow."""
    from app.wiring import operator
    from commands.calendars import DefineCalendar

    output = output_of(context, json)
    command = DefineCalendar(calendar_named(name), days, description)
    with opened(output) as wiring:
        receipt = wiring.calendars.define(command, operator("cli:calendars"))
    answer = {**receipt.facts, "new": not receipt.duplicate, "position": receipt.position}
    state = "has these days already" if receipt.duplicate else f"version {receipt.facts['version']}"
    output.answer(answer, f"{name}: {state}")
