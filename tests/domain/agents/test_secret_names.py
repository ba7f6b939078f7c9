"""The operator's allow-list of environment variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.agents.secret_names import NO_SECRETS, SecretNames, read_secret_names

OWN = ("DATABASE_URL", "READ_DATABASE_URL", "PGPASSWORD", "PROCESSION_API_KEY", "PROCESSION_X1", "PROCESSION_")


@pytest.mark.parametrize(
    ("text", "allowed", "refused"),
    [
        ("", [], ["A", ""]),
        ("A", ["A"], ["a", "AB"]),
        ("A,B_2", ["A", "B_2"], ["C"]),
        (" A , B ", ["A", "B"], ["C"]),
        ("AGENT_*", ["AGENT_", "AGENT_KEY"], ["AGENT", "agent_KEY"]),
        ("A,A*", ["A", "AB"], ["B"]),
    ],
)
def test_names_and_beginnings_of_names_are_allowed(text: str, allowed: list[str], refused: list[str]) -> None:
    names = read_secret_names(text)
    assert [name for name in (*allowed, *refused) if names.allows(name)] == allowed


@pytest.mark.parametrize("text", ["*", "A*B", "${A}", "A-B", "1A", "A=b", "A;B", "*_KEY"])
def test_anything_else_is_no_list(text: str) -> None:
    with pytest.raises(ValueError, match="it is a list like"):
        read_secret_names(text)


@given(
    st.sampled_from(OWN).flatmap(lambda name: st.tuples(*(st.sampled_from((c, c.lower())) for c in name)).map("".join))
)
def test_the_platforms_own_settings_are_never_allowed_in_any_case(name: str) -> None:
    everything = SecretNames(frozenset({name}), ("",))
    assert not everything.allows(name)
    problem = everything.problem(name, "headers.X")
    assert problem is not None
    assert (problem.code, problem.path) == ("secret_reserved", "headers.X")


def test_a_problem_names_the_variable_and_what_the_operator_does() -> None:
    problem = NO_SECRETS.problem("WRITER_KEY", "api_key")
    assert problem is not None
    assert (problem.code, problem.path) == ("secret_not_allowed", "api_key")
    assert "WRITER_KEY" in problem.message
    assert problem.hint == "the operator adds WRITER_KEY to PROCESSION_AGENT_SECRETS"
