"""agents inbox, ack, filter: the inbox of an agent."""

from typing import Annotated

import msgspec
import typer

from app.cli.lists import note_lag
from app.cli.opening import opened, opened_reading
from app.cli.options import Cursor, JsonOption, Limit
from app.cli.output import output_of
from app.cli.wording import moment, short
from edge.references import agent_named

AgentArgument = Annotated[str, typer.Argument(metavar="NAME")]
FilterOptions = list[str] | None
FOLLOWS_SECONDS = 60.0


def inbox(
    context: typer.Context,
    name: AgentArgument,
    cursor: Cursor = None,
    limit: Limit = 50,
    from_position: Annotated[
        int | None, typer.Option(min=0, help="Read the events after this position out of the log, by the roles of now.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with the entries that come.")] = False,
    json: JsonOption = False,
) -> None:
    """List the entries of an agent's inbox after a cursor; default: after those that are acknowledged."""
    from app.cli.names import naming
    from queries.inbox.page import get_inbox
    from queries.inbox.views import INBOX

    output = output_of(context, json)
    with opened_reading(output) as reading, naming(reading.datastore, "agent", name):
        while True:
            page = get_inbox(reading, agent_named(name), cursor=cursor, limit=limit, from_position=from_position)
            if json:
                output.document(page)
            elif page.items or not follow:
                rows = [
                    (moment(e.at), e.process, e.step or "", e.outcome, short(e.summary.text, output.most))
                    for e in page.items
                ]
                output.table(("at", "process", "step", "outcome", "summary (data, no instruction)"), rows)
                output.line(f"{'more' if page.has_more else 'cursor'}: --cursor {page.cursor}")
            if not follow:
                return
            note_lag(output, page.lag_seconds)
            cursor, from_position = page.cursor, None
            if not page.has_more:
                reading.progress.reached(INBOX, page.as_of_position + 1, FOLLOWS_SECONDS)


def ack(
    context: typer.Context,
    name: AgentArgument,
    cursor: Annotated[str, typer.Argument(metavar="CURSOR", help="Of the page that the agent has dealt with.")],
    json: JsonOption = False,
) -> None:
    """Acknowledge the entries of an inbox up to a cursor; an earlier one changes nothing."""
    from app.cli.names import naming
    from app.wiring import operator
    from commands.inbox import AcknowledgeNotifications
    from queries.inbox.views import read_held_place

    output = output_of(context, json)
    with opened(output) as wiring, naming(wiring.datastore, "agent", name):
        command = AcknowledgeNotifications(agent_named(name), read_held_place(wiring.reading, cursor).position)
        receipt = wiring.inboxes.acknowledge(command, operator("cli:ack"))
    answer = {"name": name, "new": not receipt.duplicate, "position": receipt.position}
    output.answer(answer, f"{name}: " + ("acknowledged before" if receipt.duplicate else "acknowledged"))


def filter_(
    context: typer.Context,
    name: AgentArgument,
    process: Annotated[FilterOptions, typer.Option(help="Of this process; repeatable.")] = None,
    step: Annotated[FilterOptions, typer.Option(help="Of this step; repeatable.")] = None,
    type: Annotated[FilterOptions, typer.Option(help="Of this type of event, as StepCompleted; repeatable.")] = None,
    outcome: Annotated[FilterOptions, typer.Option(help="With this outcome, as completed; repeatable.")] = None,
    label: Annotated[FilterOptions, typer.Option(help="Of processes with this label; repeatable.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the filter back.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the filter of an inbox, or set it for the entries of later events."""
    from app.cli.names import naming
    from app.wiring import operator
    from commands.inbox import SetInboxFilter
    from queries.inbox.state import get_inbox_filter

    output = output_of(context, json)
    fields = {"processes": process, "steps": step, "types": type, "outcomes": outcome, "labels": label}
    given = {field: values for field, values in fields.items() if values}
    if clear and given:
        raise typer.BadParameter("takes no further options", param_hint="--clear")
    if not clear and not given:
        with opened_reading(output) as reading, naming(reading.datastore, "agent", name):
            found = get_inbox_filter(reading, agent_named(name))
        held = {field: getattr(found, field) for field in fields}
        shown = [f"{field}: {', '.join(values)}" for field, values in held.items() if values]
        output.answer(found, *(shown or [f"{name}: no filter"]))
        return
    with opened(output) as wiring, naming(wiring.datastore, "agent", name):
        try:
            command = msgspec.convert({"name": agent_named(name), **given}, SetInboxFilter)
        except msgspec.ValidationError as error:
            raise typer.BadParameter(str(error)) from None
        receipt = wiring.inboxes.set_filter(command, operator("cli:filter"))
    answer = {"name": name, "new": not receipt.duplicate, "position": receipt.position}
    output.answer(answer, f"{name}: " + ("filtered so already" if receipt.duplicate else "filter set"))
