"""keys create, list, revoke."""

from datetime import datetime
from typing import Annotated

import typer

from app.cli.opening import opened, opened_reading
from app.cli.options import Cursor, JsonOption, Limit, ReasonOption
from app.cli.output import output_of
from app.cli.wording import moment, status
from app.clock import SYSTEM_CLOCK
from queries.keys import KeyView, list_keys

cli = typer.Typer(
    help="Keys, which admit people and programs to the server.", no_args_is_help=True, rich_markup_mode=None
)


@cli.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the principal, who acts as user:NAME.")],
    scope: Annotated[
        list[str],
        typer.Option(help="viewer, operator, designer, approver, admin, act_as or agent:NAME; repeatable."),
    ],
    team: Annotated[list[str] | None, typer.Option(help="A team that approvals name; repeatable.")] = None,
    process: Annotated[
        list[str] | None, typer.Option(help="Limit the key to this process, or to claims-*; repeatable.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the key ends: 90d, or 2027-01-31T09:00:00Z.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a key and show it, once. The first key has the scope admin and no expiry."""
    from app.wiring import operator
    from commands.keys import CreateKey, new_secret
    from domain.identity import new_id

    output = output_of(context, json)
    cause = operator("cli:keys")
    ends = None if expires is None else _expiry(expires, cause.at)
    secret, id = new_secret(), new_id()
    with opened(output) as wiring:
        receipt = wiring.keys.create(CreateKey(id, secret, name, scope, team or [], process or [], ends), cause)
    answer = {"key_id": str(id), "key": secret.text, "prefix": secret.prefix, "position": receipt.position}
    output.note("This is the only time that the key is shown:")
    output.answer(answer, secret.text)


@cli.command("list")
def list_(context: typer.Context, limit: Limit = 200, cursor: Cursor = None, json: JsonOption = False) -> None:
    """List keys, the newest first."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        page = list_keys(reading, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    now = SYSTEM_CLOCK.now()
    columns = ("key", "name", "scopes", "teams", "processes", "begins with", "last used", "until", "status")
    output.table(columns, [_row(key, now) for key in page.items])


@cli.command()
def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The id of the key.")],
    reason: ReasonOption,
    force: Annotated[bool, typer.Option("--force", help="Also the last admin key without expiry.")] = False,
    json: JsonOption = False,
) -> None:
    """Revoke a key; every process refuses it within five seconds."""
    from app.wiring import operator
    from commands.keys import RevokeKey
    from edge.references import key_named

    output = output_of(context, json)
    id = key_named(key)
    with opened(output) as wiring:
        receipt = wiring.keys.revoke(RevokeKey(id, reason, force), operator("cli:keys"))
    answer = {"key_id": str(id), "new": not receipt.duplicate, "position": receipt.position}
    output.answer(answer, f"{id}: " + ("was revoked already" if receipt.duplicate else "revoked"))


def _row(key: KeyView, now: datetime) -> tuple[object, ...]:
    ended = key.expires_at is not None and key.expires_at <= now
    word = "revoked" if key.revoked_at else "expired" if ended else "active"
    until = moment(key.revoked_at or key.expires_at)
    lists = (", ".join(each) for each in (key.scopes, key.teams, key.processes))
    return key.key_id, key.name, *lists, key.prefix, moment(key.last_used_at), until, status(word)


def _expiry(text: str, now: datetime) -> datetime:
    from domain.calendar.durations import parse_duration
    from edge.instants import parse_instant

    try:
        return now + parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_instant(text)
    except ValueError as error:
        message = f"{error}, or as a length of time such as 90d"
        raise typer.BadParameter(message, param_hint="--expires") from None
