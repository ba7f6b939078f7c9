"""agents webhooks add, list, remove, deliveries, retry: the addresses that receive the entries of an inbox."""

from typing import Annotated

import typer

from app.cli.opening import opened, opened_reading
from app.cli.options import JsonOption
from app.cli.output import output_of
from app.cli.wording import moment, status
from edge.references import agent_named, webhook_named
from queries.inbox.webhooks import list_dead_deliveries, list_inbox_webhooks

cli = typer.Typer(help="Addresses that receive the entries of an inbox.", no_args_is_help=True, rich_markup_mode=None)

AgentOfWebhook = Annotated[str, typer.Argument(metavar="AGENT")]
WebhookArgument = Annotated[str, typer.Argument(metavar="WEBHOOK")]


@cli.command()
def add(
    context: typer.Context,
    name: AgentOfWebhook,
    url: Annotated[str, typer.Argument(metavar="URL")],
    secret: Annotated[str, typer.Option(help="The variable of the workers that holds the secret, as ${NAME}.")],
    json: JsonOption = False,
) -> None:
    """Deliver the entries of an inbox from now on; the receiver first repeats a challenge."""
    import msgspec

    from app.wiring import operator
    from commands.inbox_webhooks import AddInboxWebhook

    output = output_of(context, json)
    try:
        command = msgspec.convert({"name": agent_named(name), "url": url, "secret": secret}, AddInboxWebhook)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error), param_hint="URL or --secret") from None
    with opened(output) as wiring:
        receipt = wiring.inbox_webhooks.add(command, operator("cli:webhooks"))
    answer = {**receipt.facts, "duplicate": receipt.duplicate, "position": receipt.position}
    output.answer(answer, f"{receipt.facts['webhook_id']}: " + ("there already" if receipt.duplicate else "added"))


@cli.command("list")
def list_(context: typer.Context, name: AgentOfWebhook, json: JsonOption = False) -> None:
    """List the webhooks of an agent, with their state."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = list_inbox_webhooks(reading, agent_named(name))
    if json:
        output.document(found)
        return
    rows = [
        (
            str(each.webhook_id),
            each.url,
            status(each.state),
            moment(each.delivered_at),
            each.dead,
            each.last_error or "",
        )
        for each in found.items
    ]
    output.table(("webhook", "address", "state", "delivered", "dead", "error"), rows)


@cli.command()
def remove(context: typer.Context, name: AgentOfWebhook, webhook: WebhookArgument, json: JsonOption = False) -> None:
    """Remove a webhook and its dead deliveries; the inbox stays as it is."""
    from app.wiring import operator
    from commands.inbox_webhooks import RemoveInboxWebhook

    output = output_of(context, json)
    command = RemoveInboxWebhook(agent_named(name), webhook_named(webhook))
    with opened(output) as wiring:
        receipt = wiring.inbox_webhooks.remove(command, operator("cli:webhooks"))
    output.answer({**receipt.facts, "position": receipt.position}, f"{webhook}: removed")


@cli.command()
def deliveries(
    context: typer.Context, name: AgentOfWebhook, webhook: WebhookArgument, json: JsonOption = False
) -> None:
    """List the deliveries that failed for good."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = list_dead_deliveries(reading, agent_named(name), webhook_named(webhook))
    if json:
        output.document(found)
        return
    rows = [(each.event_id, each.position, each.tries, moment(each.died_at), each.error) for each in found.items]
    output.table(("event", "position", "tries", "since", "error"), rows)


@cli.command()
def retry(
    context: typer.Context,
    name: AgentOfWebhook,
    webhook: WebhookArgument,
    event: Annotated[str | None, typer.Option(help="Only the delivery of this event.")] = None,
    json: JsonOption = False,
) -> None:
    """Resume a webhook, and try its dead deliveries again."""
    from app.wiring import operator
    from commands.inbox_webhooks import RetryInboxWebhook

    output = output_of(context, json)
    command = RetryInboxWebhook(agent_named(name), webhook_named(webhook), event)
    with opened(output) as wiring:
        receipt = wiring.inbox_webhooks.retry(command, operator("cli:webhooks"))
    answer = {**receipt.facts, "position": receipt.position}
    output.answer(answer, f"{webhook}: resumed, {receipt.facts['deliveries']} dead deliveries are tried again")
