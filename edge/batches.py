"""The list that a batch freezes: every execution that the words of its filter find and its actor sees."""

from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic import ValidationError

from commands.batches import FreezeBatch
from domain.batches.acts import problems_of_act
from domain.jsonvalue import MOST_PROBLEMS
from domain.refusal import Problem
from edge.execution_filters import ExecutionWords
from edge.refusals import malformed, unknown_key
from queries.executions import ExecutionFilter
from queries.matching_executions import list_matching_executions
from queries.reading import Reading

WORDS = {info.alias or name: info for name, info in ExecutionWords.model_fields.items()}
"""The words of a filter, as a query states them."""


def with_list(
    reading: Reading, command: FreezeBatch, within: tuple[str, ...], most: int, *, min_position: int | None = None
) -> FreezeBatch:
    """Return the command with the executions that its filter finds. within: the processes that the actor sees.

    Raises Malformed with every problem of the act and the filter, TooManyMatch beyond `most`, or NotYet.
    """
    problems = problems_of_act(command.act, command.step, command.agent or "")
    if not command.dry_run:
        message = "a batch is frozen first: leave dry_run out, and run the batch by the batch_id of the answer"
        problems.append(Problem("not_applicable", message, "dry_run"))
    stated = {word: value for word, value in command.filter.items() if value is not None}
    words = {word: _texts(word, value) for word, value in stated.items()}
    try:
        filter = ExecutionWords.model_validate(words).filter(within)
    except ValidationError as error:
        problems += [_problem(each) for each in error.errors()[:MOST_PROBLEMS]]
    else:
        if filters_nothing(filter):
            message = "a filter states at least one word that leaves executions out, as status or process"
            problems.append(Problem("empty_filter", message, "filter"))
    if problems:
        raise malformed(problems)
    found = list_matching_executions(reading, filter, most, min_position=min_position)
    return msgspec.structs.replace(
        command,
        filter=stated,
        executions=found.executions,
        processes=found.processes,
        as_of_position=found.as_of_position,
    )


def filters_nothing(filter: ExecutionFilter) -> bool:
    """Return whether a filter finds every execution, or every one that no other started."""
    bare = msgspec.structs.replace(filter, include_children=False, currency="", order=ExecutionFilter().order)
    return bare == ExecutionFilter(within=filter.within)


def _texts(word: str, value: Any) -> Any:
    """Return a value of a JSON object as a query would state it."""
    if isinstance(value, list):
        return [_text(each) for each in value]
    several = word in WORDS and WORDS[word].default == []
    return [_text(value)] if several else _text(value)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def _problem(found: Mapping[str, Any]) -> Problem:
    word = str(found["loc"][0])[:60] if found["loc"] else ""
    if found["type"] == "extra_forbidden":
        return unknown_key(word, WORDS, "filter.")
    message = str(found.get("ctx", {}).get("error", found["msg"]))
    return Problem("invalid_value", message, f"filter.{word}")
