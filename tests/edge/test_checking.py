"""Bodies are checked against the class that declares them: every problem at once."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from commands.command import Command, CommandScope, ExecutionId, NameOfAgent, Note, Reason, VersionNumber
from domain.refusal import Malformed
from edge.checking import MOST_PROBLEMS, check_fields
from edge.declared import Read, body_fields, fields_beside


class Complaint(msgspec.Struct):
    """An object inside a body."""

    code: Annotated[str, Meta(pattern="^[a-z]+$")]
    permanent: bool = False


def doubled(value: Any, _body: bytes) -> Any:
    if not isinstance(value.get("n"), int):
        raise ValueError("n is a number")
    return value["n"] * 2


class Mend(Command, frozen=True):
    """A command with a field of every kind."""

    scope = CommandScope.EXECUTIONS_WRITE
    execution_id: ExecutionId
    reason: Reason
    agent: NameOfAgent
    at: datetime
    error: Complaint
    output: Any
    count: Annotated[dict[str, Any], Read(doubled, dict[str, Any])] = {}
    note: Note = ""
    version: VersionNumber | None = None
    input: dict[str, Any] = {}
    dry: bool = False


GOOD = {"reason": "why", "agent": "writer", "at": "2026-01-01T13:00:00+01:00", "error": {"code": "busy"}, "output": 1}


def problems(**body: Any) -> set[tuple[str, str]]:
    with pytest.raises(Malformed) as refusal:
        check_fields(Mend, body, b"")
    return {(problem.code, problem.path) for problem in refusal.value.problems}


def test_what_is_right_is_taken_as_its_type() -> None:
    more = {"count": {"n": 2}, "version": 3, "input": {"a": None}, "dry": True}
    found = check_fields(Mend, GOOD | more, b"")
    assert found == {
        "reason": "why",
        "agent": "writer",
        "at": datetime(2026, 1, 1, 12, tzinfo=UTC),
        "error": Complaint("busy"),
        "output": 1,
        "count": 4,
        "version": 3,
        "input": {"a": None},
        "dry": True,
    }


def test_null_stands_for_a_field_that_is_left_out() -> None:
    assert "note" not in check_fields(Mend, GOOD | {"note": None, "version": None, "input": None}, b"")
    assert check_fields(Mend, GOOD | {"output": None}, b"")["output"] is None
    assert problems(**GOOD | {"reason": None, "dry": None}) == {("missing", "reason"), ("wrong_type", "dry")}


def test_everything_that_is_missing_is_told_at_once() -> None:
    missing = {("missing", name) for name in ("reason", "agent", "at", "error", "error.code", "output")}
    assert problems() == missing


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("reason", " ", ("missing", "reason")),
        ("reason", 1, ("wrong_type", "reason")),
        ("reason", "x" * 2_001, ("invalid_value", "reason")),
        ("note", "a\0b", ("invalid_value", "note")),
        ("agent", "Writer", ("invalid_value", "agent")),
        ("agent", "writer\n", ("invalid_value", "agent")),
        ("at", "tomorrow", ("invalid_value", "at")),
        ("at", "2026-01-01T12:00:00", ("invalid_value", "at")),
        ("at", 5, ("wrong_type", "at")),
        ("error", "busy", ("wrong_type", "error")),
        ("error", {"code": "BUSY"}, ("invalid_value", "error.code")),
        ("error", {"code": "busy", "why": 1}, ("unknown_key", "error.why")),
        ("error", {"code": "busy", "permanent": 1}, ("wrong_type", "error.permanent")),
        ("count", [], ("wrong_type", "count")),
        ("count", {"n": "two"}, ("invalid_value", "count")),
        ("version", True, ("wrong_type", "version")),
        ("version", 1.0, ("wrong_type", "version")),
        ("version", 0, ("invalid_value", "version")),
        ("version", 2**31, ("invalid_value", "version")),
        ("input", [], ("wrong_type", "input")),
        ("dry", "yes", ("wrong_type", "dry")),
        ("execution_id", "x", ("unknown_key", "execution_id")),
    ],
)
def test_each_field_is_checked_and_the_others_with_it(field: str, value: Any, problem: tuple[str, str]) -> None:
    found = problems(**GOOD | {"raeson": 1, field: value})
    assert {problem, ("unknown_key", "raeson")} <= found
    assert {path.partition(".")[0] for _, path in found} == {field, "raeson"}


def test_problems_are_bounded() -> None:
    with pytest.raises(Malformed) as refusal:
        check_fields(Mend, {f"k{n}": n for n in range(1_000)}, b"")
    assert len(refusal.value.problems) == MOST_PROBLEMS


def test_a_hint_names_the_nearest_field() -> None:
    with pytest.raises(Malformed) as refusal:
        check_fields(Mend, GOOD | {"raeson": 1}, b"")
    assert refusal.value.problems[0].hint == "did you mean reason?"


def test_a_command_says_what_is_its_body_and_what_is_beside_it() -> None:
    assert fields_beside(Mend) == {"execution_id": "execution"}
    assert "execution_id" not in {field.name for field in body_fields(Mend)}
    assert {field.name for field in body_fields(Mend) if field.required} == GOOD.keys()
