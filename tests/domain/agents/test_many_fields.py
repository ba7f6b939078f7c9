"""Configurations with far more fields than any agent has: a bounded number of problems is made, and not one a field."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.agents.kinds import AgentConfig, parse_agent
from domain.jsonvalue import MOST_PROBLEMS
from domain.refusal import Malformed

MANY = {f"field-{n}": 1 for n in range(1_000)}
HTTP: dict[str, Any] = {"kind": "http", "url": "https://agents.example"}
ECHO: dict[str, Any] = {"kind": "scripted", "script": "echo"}


@pytest.mark.parametrize(
    "body",
    [
        {**MANY, **HTTP},
        {**HTTP, "rate": {**MANY, "calls": 1, "per": "1s"}},
        {**HTTP, "tokens": MANY},
        {**ECHO, "usage": MANY},
        {**ECHO, "cost": MANY},
    ],
)
def test_of_unknown_fields_the_first_are_problems(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as made:
        TypeAdapter(AgentConfig).validate_python(body)
    assert MOST_PROBLEMS <= made.value.error_count() <= MOST_PROBLEMS + 10
    with pytest.raises(Malformed) as refused:
        parse_agent("a", body)
    found = refused.value.problems
    assert len(found) == MOST_PROBLEMS
    assert sum(each.code == "unknown_key" for each in found) >= MOST_PROBLEMS - 10
    assert any(each.path.endswith("field-0") for each in found)


def test_a_known_field_behind_many_unknown_ones_is_read() -> None:
    with pytest.raises(Malformed) as refused:
        parse_agent("a", {"kind": "http", **MANY, "url": 7})
    assert "url" in {each.path for each in refused.value.problems}


def test_more_headers_than_there_may_be_are_one_problem() -> None:
    with pytest.raises(Malformed) as refused:
        parse_agent("a", {**HTTP, "headers": MANY})
    (problem,) = refused.value.problems
    assert (problem.code, problem.path) == ("invalid_value", "headers")
    assert "50" in problem.message
