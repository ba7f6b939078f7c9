"""agents list, show, register, try, retire; inbox, ack, filter and webhooks stand in files of their own."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from app.cli import inbox, inbox_webhooks
from app.cli.opening import opened, opened_reading
from app.cli.options import Cursor, JsonOption, Limit, known_words
from app.cli.output import output_of
from app.cli.wording import moment, seconds, short, status
from domain.agents.limits import limits_of
from domain.calendar.durations import print_duration
from domain.jsonvalue import parse_json
from domain.refusal import Malformed
from edge.references import agent_named
from queries.agent_answers import AgentAnswers
from queries.agents import KINDS_LISTED, AgentDetail, AgentFilter, get_agent, list_agents

cli = typer.Typer(help="Agents, which carry out steps.", no_args_is_help=True, rich_markup_mode=None)
cli.command()(inbox.inbox)
cli.command()(inbox.ack)
cli.command("filter")(inbox.filter_)
cli.add_typer(inbox_webhooks.cli, name="webhooks")


@cli.command("list")
def list_(
    context: typer.Context,
    kind: Annotated[list[str] | None, typer.Option(help="Of this kind; repeatable.")] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List agents by name, each with its answers in 24 hours."""
    output = output_of(context, json)
    kinds = known_words("--kind", kind, KINDS_LISTED)
    with opened_reading(output) as reading:
        page = list_agents(reading, AgentFilter(kinds=kinds), cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = [
        (
            a.name,
            a.kind,
            "paused" if a.limit_use and a.limit_use.paused_until else status(a.status),
            *_in_24_hours(a.last_24_hours),
            moment(a.registered_at),
            a.max_open or "share",
            short(a.config, output.most),
        )
        for a in page.items
    ]
    columns = ("agent", "kind", "status", "well", "failed", "median", "registered", "max open", "configuration")
    output.table(columns, rows)


@cli.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json: JsonOption = False,
) -> None:
    """Show an agent, and its answers in 24 hours."""
    from app.cli.names import naming

    output = output_of(context, json)
    with opened_reading(output) as reading, naming(reading.datastore, "agent", name):
        found = get_agent(reading, agent_named(name))
    if json:
        output.document(found)
        return
    output.line(f"{found.name}: {found.kind}, {found.status}, registered {moment(found.registered_at)}")
    for line in _limit_lines(found):
        output.line(line)
    answers = found.last_24_hours
    if answers is not None:
        took = f", median {seconds(answers.median)}" if answers.median is not None else ""
        output.line(f"in 24 hours {answers.completed} attempts completed and {answers.failed} failed{took}")
        for reason in answers.reasons:
            output.line(f"  {reason.count} failed with {reason.code}")
        if answers.cost:
            output.line(f"  cost {', '.join(f'{each.amount} {each.currency}' for each in answers.cost)}")


def _limit_lines(agent: AgentDetail) -> Iterator[str]:
    """Yield the limits of an agent, and what it uses of them now."""
    limits = limits_of(msgspec.json.decode(agent.config) or {}, agent.max_open)
    if limits is not None:
        stated = (
            (limits.max_open, f"max_open {limits.max_open}"),
            (limits.calls, f"rate {limits.calls} in {print_duration(limits.per)}"),
            (limits.tokens, f"tokens {limits.tokens} in 1m"),
        )
        yield f"limits: {', '.join(text for limit, text in stated if limit is not None)}"
    use = agent.limit_use
    if use is None:
        return
    if limits is not None:
        tokens = "" if use.tokens_per_call is None else f", {use.tokens_per_call} tokens a call"
        yield f"  open calls: {use.open}{tokens}"
    if use.next_call_at is not None:
        yield f"  the limits admit the next call at {moment(use.next_call_at)}"
    if use.paused_until is not None:
        yield f"  paused until {moment(use.paused_until)}, as the agent requests"


@cli.command()
def register(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="The configuration, YAML or JSON; - is standard input.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="The kind, instead of or on top of a file.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One entry of the configuration; repeatable."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Register an agent, or change its configuration; an unchanged one records nothing. Write secrets as ${NAME}."""
    from app.documents import inside  # the list needs no language and no commands
    from app.wiring import operator
    from commands.agents import RegisterAgent

    output = output_of(context, json)
    if file is None and kind is None:
        raise typer.BadParameter("give a FILE, or --kind and --set", param_hint="FILE")
    entries = {**({"kind": kind} if kind else {}), **dict(map(_entry, settings or []))}
    with inside(file):
        config = _config(name, file, entries)
    with opened(output) as wiring:
        receipt = wiring.agents.register(RegisterAgent(name, config), operator("cli:register"))
    answer = {"name": name, "kind": config["kind"], "new": not receipt.duplicate, "position": receipt.position}
    output.answer(answer, f"{name}: " + ("unchanged" if receipt.duplicate else f"registered ({config['kind']})"))


@cli.command("try")
def try_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    message: Annotated[str, typer.Option(help="The message for the agent.")],
    parameters: Annotated[str, typer.Option(help="The parameters of a step, as a JSON object.")] = "{}",
    timeout: Annotated[int, typer.Option(min=1, max=60, help="How many seconds the answer is awaited.")] = 30,
    json: JsonOption = False,
) -> None:
    """Call an agent once with a message, as a worker would. Nothing is recorded."""
    from app.cli.names import naming
    from app.wiring import operator
    from commands.trials import LONGEST_MESSAGE, AgentTrial

    output = output_of(context, json)
    if not 0 < len(message) <= LONGEST_MESSAGE:
        raise typer.BadParameter(f"has 1 to {LONGEST_MESSAGE:,} characters", param_hint="--message")
    given = parse_json(parameters.encode("utf-8", "surrogatepass"))
    if not isinstance(given, dict):
        raise typer.BadParameter("is a JSON object", param_hint="--parameters")
    with opened(output) as wiring, naming(wiring.datastore, "agent", name):
        tried = wiring.trials.run(name, AgentTrial(message, given, timeout), operator("cli:try").actor)
    output.answer(tried, f"{name}: {tried.outcome} in {tried.duration_seconds:.2f} s")
    if not json:
        used, cost = tried.usage, tried.cost
        output.line(
            "no usage reported" if used is None else f"tokens: {used.input_tokens} in, {used.output_tokens} out"
        )
        output.line("not priced" if cost is None else f"cost: {cost.amount} {cost.currency}")
        output.line(f"{tried.error.code}: {tried.error.message}" if tried.error is not None else _shown(tried.output))
    if tried.outcome == "failed":
        raise typer.Exit(1)


@cli.command()
def retire(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    reason: Annotated[str, typer.Option(help="The reason, for people.")] = "",
    json: JsonOption = False,
) -> None:
    """Take an agent out of use; steps that name it fail from then on."""
    from app.cli.names import naming
    from app.wiring import operator
    from commands.agents import RetireAgent

    output = output_of(context, json)
    with opened(output) as wiring, naming(wiring.datastore, "agent", name):
        receipt = wiring.agents.retire(RetireAgent(name, reason), operator("cli:retire"))
    answer = {"name": name, "new": not receipt.duplicate, "position": receipt.position}
    output.answer(answer, f"{name}: " + ("was retired already" if receipt.duplicate else "retired"))


def _in_24_hours(answers: AgentAnswers | None) -> tuple[object, object, object]:
    """Return how many attempts completed and failed, and how long they took."""
    if answers is None:
        return "", "", ""
    return answers.completed, answers.failed, "" if answers.median is None else seconds(answers.median)


def _shown(answer: object) -> str:
    """Return an answer as text: a text as it is, any other value as JSON."""
    return answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()


def _config(name: str, file: str | None, entries: dict[str, Any]) -> dict[str, Any]:
    """Return the canonical configuration of a file with the entries on top. Raises Malformed, located in the file."""
    from app.documents import read_document, read_file
    from domain.agents.kinds import parse_agent

    if file is None:
        return parse_agent(name, entries)
    document = read_document(read_file(file))
    body = document.value
    try:
        return parse_agent(name, {**body, **entries} if isinstance(body, dict) else body)
    except Malformed as malformed:
        located = [document.locate(problem) for problem in malformed.problems]
        raise Malformed(malformed.message, located) from None


def _entry(pair: str) -> tuple[str, Any]:
    key, separator, text = pair.partition("=")
    if not separator or not key:
        raise typer.BadParameter(f"takes KEY=VALUE, not {pair[:80]!r}", param_hint="--set")
    try:
        return key, parse_json(text.encode("utf-8", "surrogatepass"))
    except Malformed:
        return key, text
