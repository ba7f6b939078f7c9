"""templates list, show, use, save, share, withdraw, update, check."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.lists import NUMBERS, note_more
from app.cli.opening import opened
from app.cli.options import Cursor, DryRun, JsonOption, Limit, ReasonOption, known_words, words
from app.cli.output import output_of
from app.cli.template_checks import check
from app.cli.template_updates import update
from app.documents import read_file
from app.template_answers import read_answers, read_pairs
from edge.references import process_named, template_named

if TYPE_CHECKING:
    from app.wiring import Wiring
    from commands.receipt import Receipt
    from domain.templates.access import TemplateCaller
    from queries.templates.surroundings import TemplateSurroundings

cli = typer.Typer(help="Templates, to begin a process from.", no_args_is_help=True, rich_markup_mode=None)

cli.command()(check)
cli.command()(update)

TemplateArgument = Annotated[
    str, typer.Argument(metavar="TEMPLATE", help="The id of a template: bundled:NAME or org:NAME.")
]
Version = Annotated[int | None, typer.Option(min=1, help="A version. Default: the latest.")]
ACTOR = "user:cli"


@cli.command("list")
def list_(
    context: typer.Context,
    q: Annotated[str, typer.Argument(metavar="[WORDS]", help="Words, each of which a template has.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Only with this tag; repeatable.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="bundled or org; repeatable.")] = None,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="List withdrawn templates too.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List templates by id, the bundled ones first."""
    from app.cli.caught_up import caught_up
    from domain.templates.references import SOURCES
    from queries.templates.library import TemplateFilter, list_templates

    output = output_of(context, json)
    filter = TemplateFilter(q, tags=tag or [], sources=known_words("--source", source, SOURCES), withdrawn=withdrawn)
    with opened(output) as wiring, caught_up(output, wiring.reading) as reading:
        page = list_templates(reading, _surroundings(wiring), _caller(), filter, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = [
        (each.template_id, each.version, each.name, each.status, each.uses, ", ".join(each.tags)) for each in page.items
    ]
    output.table(("template", "version", "name", "status", "uses", "tags"), rows, right=NUMBERS)
    note_more(output, page.next_cursor)


@cli.command()
def show(context: typer.Context, template: TemplateArgument, version: Version = None, json: JsonOption = False) -> None:
    """Show one template: its parameters, what it needs, and what of that is missing."""
    from app.cli.caught_up import caught_up
    from queries.templates.detail import get_template

    output, reference = output_of(context, json), template_named(template)
    with opened(output) as wiring, caught_up(output, wiring.reading) as reading:
        found = get_template(reading, _surroundings(wiring), _caller(), reference, version)
    if json:
        output.document(found)
        return
    output.line(f"{found.template_id} version {found.version}: {found.name}, {found.status}, used {found.uses} times")
    for text in (found.description, *(problem.message for problem in found.problems)):
        if text:
            output.line(text)
    for kind in ("agents", "secrets", "channels"):
        missing = set(getattr(found.missing, kind))
        named = [f"{each} (missing)" if each in missing else each for each in getattr(found.needs, kind)]
        if named:
            output.line(f"needs {kind}: {', '.join(named)}")
    rows = [
        (name, each.get("type"), each.get("title") or None, each.get("default"))
        for name, each in found.parameters.items()
    ]
    output.table(("parameter", "type", "title", "default"), rows)


@cli.command()
def use(
    context: typer.Context,
    template: TemplateArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the process that is made.")],
    answer: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An answer; JSON, or else text; repeatable.")
    ] = None,
    answers: Annotated[str | None, typer.Option(metavar="FILE", help="A JSON object of answers; - for input.")] = None,
    replace: Annotated[
        list[str] | None, typer.Option("--replace-agent", metavar="AGENT=OTHER", help="Repeatable.")
    ] = None,
    version: Version = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Make a draft from a template; it is not published."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.template_uses import UseTemplate
    from domain.templates.standing import standing_of
    from gateway.catalogue import release

    reference, agents = template_named(template), read_pairs(replace or [], "--replace-agent")
    document = None if answers is None else read_file(answers)

    def make(wiring: "Wiring") -> "Receipt":
        found = wiring.template_uses.find(reference, version, _caller())
        read = standing_of(found.source, release()).template
        types = {} if read is None else {each: parameter.type for each, parameter in read.parameters.items()}
        given = read_answers(answer or [], document, types)
        command = UseTemplate(reference, _caller(), name, version, given, agents)
        return wiring.template_uses.use(command, operator("cli:templates"))

    carry_out(
        output_of(context, json),
        make,
        what=name,
        done=f"drafted from {template}",
        already="drafted already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )


@cli.command()
def save(
    context: typer.Context,
    process: Annotated[str, typer.Argument(metavar="PROCESS", help="A process by name or id.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the template, for people.")],
    id: Annotated[str | None, typer.Option(help="Its id, after `org:`. Default: from the name.")] = None,
    description: Annotated[str, typer.Option(help="For people.", callback=words)] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; repeatable.")] = None,
    category: Annotated[str, typer.Option(help="A category.", callback=words)] = "",
    version: Annotated[int | None, typer.Option(min=1, help="Of the process. Default: its draft.")] = None,
    parameters: Annotated[str | None, typer.Option(metavar="FILE", help="A JSON object of parameters.")] = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Save a process as a template, or as the next version of one."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.templates import SaveTemplate

    command = SaveTemplate(
        process_named(process),
        _caller(),
        name,
        id,
        description,
        tag or [],
        category,
        version,
        "",
        read_answers([], None if parameters is None else read_file(parameters), {}),
    )
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.templates.save(command, operator("cli:templates")),
        what=name,
        done="saved as a template",
        already="this version is there already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )


@cli.command()
def share(
    context: typer.Context,
    template: TemplateArgument,
    shared_with: Annotated[str, typer.Argument(metavar="WITH", help="private, team:NAME or organisation.")],
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Share a template: with nobody, a team or the organisation."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.templates import ShareTemplate

    command = ShareTemplate(template_named(template), _caller(), shared_with)
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.templates.share(command, operator("cli:templates")),
        what=template,
        done=f"shared with {shared_with}",
        already="shared so already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )


@cli.command()
def withdraw(
    context: typer.Context,
    template: TemplateArgument,
    reason: ReasonOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Withdraw a template; what was made from it stays."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.templates import WithdrawTemplate

    command = WithdrawTemplate(template_named(template), _caller(), reason)
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.templates.withdraw(command, operator("cli:templates")),
        what=template,
        done="withdrawn",
        already="withdrawn already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )


def _caller() -> "TemplateCaller":
    from domain.templates.access import TemplateCaller

    return TemplateCaller(ACTOR, admin=True)


def _surroundings(wiring: "Wiring") -> "TemplateSurroundings":
    from gateway.catalogue import release
    from queries.templates.surroundings import TemplateSurroundings

    return TemplateSurroundings(release(), wiring.channels, wiring.policy.secrets, wiring.catalogue)
