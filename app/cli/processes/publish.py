"""publish: the next version of a process from a file."""

from typing import Annotated

import typer

from app.cli.opening import opened
from app.cli.options import JsonOption, NameOption, StrictOption
from app.cli.output import located, output_of
from app.documents import inside, read_file
from app.publishing import publish_source

cli = typer.Typer()


@cli.command()
def publish(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="YAML or JSON; - is standard input.")],
    name: NameOption = None,
    strict: StrictOption = False,
    json: JsonOption = False,
) -> None:
    """Publish a definition as the next version of its process; an unchanged one records nothing."""
    output = output_of(context, json)
    source = read_file(file)
    with opened(output) as wiring, inside(file):
        published = publish_source(wiring, source, strict=strict, named_as=name)
    if not json:
        for problem in published.problems:
            output.note(located(problem, file))
    outcome = "published" if published.new else "unchanged, still"
    output.answer(published, f"{published.name}: {outcome} version {published.version}")
