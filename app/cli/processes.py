"""validate, publish, schema: definitions in files."""

from typing import Annotated, Any

import typer

from app.cli.failures import FAILED
from app.cli.opening import opened
from app.cli.options import Json
from app.cli.output import Output, located, output_of
from app.documents import inside, read_file
from app.publishing import publish_source
from domain.language import json_schema, parse_definition
from domain.refusal import Problem

cli = typer.Typer()

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="YAML or JSON; - is standard input.")]


@cli.command()
def validate(
    context: typer.Context,
    files: Files,
    agents: Annotated[bool, typer.Option("--agents", help="Check in the database that the agents exist, too.")] = False,
    json: Json = False,
) -> None:
    """Check definitions and tell everything that is wrong with them; records nothing. Exit code 1 if one is invalid."""
    output = output_of(context, json)
    sources = [(file, read_file(file)) for file in files]
    if agents:
        with opened(output) as wiring:
            found = [(file, wiring.processes.validate(source)) for file, source in sources]
    else:
        found = [(file, parse_definition(source).problems) for file, source in sources]
    results = [_result(file, problems) for file, problems in found]
    if json:
        output.document({"valid": all(result["valid"] for result in results), "files": results})
    else:
        for file, problems in found:
            _tell(output, file, problems)
    if not all(result["valid"] for result in results):
        raise typer.Exit(FAILED)


@cli.command()
def publish(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="YAML or JSON; - is standard input.")],
    json: Json = False,
) -> None:
    """Publish a definition as the next version of its process; the same again changes nothing."""
    output = output_of(context, json)
    source = read_file(file)
    with opened(output) as wiring, inside(file):
        published = publish_source(wiring, source)
    if not json:
        for problem in published.problems:
            output.note(located(problem, file))
    outcome = "published" if published.new else "unchanged, still"
    output.answer(published, f"{published.name}: {outcome} version {published.version}")


@cli.command()
def schema(context: typer.Context, json: Json = False) -> None:
    """Write the JSON Schema of the process language, for editors; with or without --json."""
    output_of(context, json).document(json_schema())


def _result(file: str, problems: list[Problem]) -> dict[str, Any]:
    return {"file": file, "valid": not any(problem.severity == "error" for problem in problems), "problems": problems}


def _tell(output: Output, file: str, problems: list[Problem]) -> None:
    for problem in problems:
        output.line(located(problem, file))
    errors = sum(problem.severity == "error" for problem in problems)
    output.line(f"{file}: " + (f"{errors} error(s)" if errors else "valid"))
