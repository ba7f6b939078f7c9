"""validate: every problem of definitions in files, each with its place."""

from typing import Annotated, Any

import typer

from app.cli.failures import FAILED
from app.cli.opening import opened
from app.cli.options import JsonOption, NameOption, StrictOption
from app.cli.output import CommandOutput, located, output_of
from app.documents import read_file
from app.settings import read_settings
from domain.agents.secret_names import NO_SECRETS
from domain.language import channel_problems, interval_problems, parse_definition, secret_problems
from domain.refusal import Problem, strictly
from domain.templates.importing import named_text

cli = typer.Typer()

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="YAML or JSON; - is standard input.")]


@cli.command()
def validate(
    context: typer.Context,
    files: Files,
    agents: Annotated[bool, typer.Option("--agents", help="Check in the database that the agents exist, too.")] = False,
    name: NameOption = None,
    strict: StrictOption = False,
    json: JsonOption = False,
) -> None:
    """Check definitions and report every problem; record nothing. Exit code 1 if one is invalid."""
    output = output_of(context, json)
    sources = [(file, named_text(read_file(file), name)) for file in files]
    if agents:
        with opened(output) as wiring:
            found = [(file, wiring.processes.validate(source.text, strict=strict)) for file, source in sources]
    else:
        found = [(file, _problems(source.text, strict=strict)) for file, source in sources]
    found = [
        (file, [*source.problems, *problems]) for (file, source), (_, problems) in zip(sources, found, strict=True)
    ]
    results = [_result(file, problems) for file, problems in found]
    if json:
        output.document({"valid": all(result["valid"] for result in results), "files": results})
    else:
        for file, problems in found:
            _write(output, file, problems)
    if not all(result["valid"] for result in results):
        raise typer.Exit(FAILED)


def _problems(source: str | bytes, *, strict: bool) -> list[Problem]:
    """Return the problems of a definition that need no database; the settings of this environment count.

    A variable that PROCESSION_AGENT_SECRETS does not allow is an error, as with a database. Where the setting is not
    made, only the installation has the list, and such a variable is a warning.
    """
    parsed = parse_definition(source, strict=strict)
    if not (parsed.secrets or parsed.channels or parsed.intervals):
        return parsed.problems
    settings = read_settings()
    allowed = settings.agent_secrets
    found = [
        *(channel_problems(parsed, settings.channels.configured) if parsed.channels else ()),
        *interval_problems(parsed, settings.min_interval, "error"),
        *secret_problems(parsed, allowed or NO_SECRETS, "warning" if allowed is None else "error"),
    ]
    return [*parsed.problems, *(strictly(found) if strict else found)]


def _result(file: str, problems: list[Problem]) -> dict[str, Any]:
    warnings = [problem for problem in problems if problem.severity != "error"]
    return {"file": file, "valid": len(warnings) == len(problems), "problems": problems, "warnings": warnings}


def _write(output: CommandOutput, file: str, problems: list[Problem]) -> None:
    for problem in problems:
        output.line(located(problem, file))
    errors = sum(problem.severity == "error" for problem in problems)
    output.line(f"{file}: " + (f"{errors} error(s)" if errors else "valid"))
