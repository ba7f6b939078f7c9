"""schedules preview: when the schedules of a definition come, before anything is saved."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from app.cli.lists import NUMBERS
from app.cli.opening import opened_reading
from app.cli.options import JsonOption
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment

MOST = 50


def preview(
    context: typer.Context,
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="A definition; - is standard input.")] = None,
    cron: Annotated[str | None, typer.Option(help="A rule instead of a file, as '0 9 * * mon-fri'.")] = None,
    preset: Annotated[str | None, typer.Option(help="A rule: hourly, daily, weekdays, weekly or monthly.")] = None,
    every: Annotated[str | None, typer.Option(help="A rule by elapsed time, as 90m.")] = None,
    at: Annotated[str | None, typer.Option(help="The time of the day of a preset.")] = None,
    timezone: Annotated[str | None, typer.Option(help="The zone of the rule. Default: UTC.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=MOST, help="The instants that run.")] = 10,
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="The first moment. Default: now.")] = None,
    json: JsonOption = False,
) -> None:
    """Show the next instants of the schedules of a file, or of one rule; record nothing."""
    from app.clock import SYSTEM_CLOCK
    from app.documents import read_file
    from app.settings import read_settings
    from edge.instants import parse_instant
    from queries.schedule_previews import preview_schedule, trigger_of

    output = output_of(context, json)
    stated = {"cron": cron, "preset": preset, "every": every, "at": at, "timezone": timezone}
    given = {name: value for name, value in stated.items() if value is not None}
    if (file is None) == (not given):
        raise typer.BadParameter("give a FILE, or a rule by --cron, --preset or --every")
    try:
        since: datetime = SYSTEM_CLOCK.now() if begin is None else parse_instant(begin)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--from") from None
    triggers = [given] if file is None else list(_schedules(read_file(file)))
    shortest = read_settings().min_interval
    found = []
    for each in triggers:
        trigger = trigger_of(each, shortest)
        calendars = _calendars(output, trigger.except_ or ())
        found.append((each.get("id"), preview_schedule(trigger, count, since, calendars)))
    if json:
        output.document({"schedules": [{"trigger_id": id, "preview": view} for id, view in found]})
        return
    for id, view in found:
        renamed = "" if view.canonical_timezone == view.timezone else f" ({view.canonical_timezone} today)"
        output.line(f"{'' if id is None else f'{id}: '}{view.words}{renamed}; zone data {view.tzdata}")
        rows = [
            (each.local.replace("T", " "), each.offset, moment(each.utc), " ".join(each.flags)) for each in view.items
        ]
        output.table(("local", "offset", "utc", "flags"), rows, right=NUMBERS)
    if not found:
        output.line("this definition has no schedules")


def _schedules(source: bytes | str) -> Iterator[dict[str, Any]]:
    """Yield the schedule triggers of a definition. Raises Malformed with its problems."""
    from domain.language import parse_definition
    from domain.language.documents import definition_document
    from domain.refusal import Malformed

    parsed = parse_definition(source)
    if parsed.definition is None:
        raise Malformed("this is not a valid definition", parsed.errors)
    for trigger in definition_document(parsed.definition).get("triggers", ()):
        if trigger["type"] == "schedule":
            yield trigger


def _calendars(output: CommandOutput, entries: Any) -> Mapping[str, Any]:
    """Return the calendars that the entries name; only these need the database."""
    from domain.calendar.exceptions import is_calendar
    from queries.calendars import contents_of

    names = [entry for entry in entries if is_calendar(entry)]
    if not names:
        return {}
    with opened_reading(output) as reading:
        return contents_of(reading, names)
