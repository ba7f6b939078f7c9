"""Values in one text come back as they were, whatever they hold."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.listed_values import join_values, split_values


@given(st.lists(st.text(alphabet=st.sampled_from(list('a ",%&\n🙂')), max_size=6) | st.text(max_size=20), max_size=5))
@example(['","'])
@example(["", '"', '""', " a "])
def test_values_come_back_as_they_were(values: list[str]) -> None:
    assert split_values(join_values(values)) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        (" , ,", []),
        ("a, b ,c", ["a", "b", "c"]),
        ('say "hi", b', ['say "hi"', "b"]),
        ('"a,b" , c', ["a,b", "c"]),
        ('"open, b', ['"open', "b"]),
        ('"a"b,c', ['"a"b', "c"]),
    ],
)
def test_text_of_a_person_is_split_at_commas_outside_quotes(text: str, values: list[str]) -> None:
    assert split_values(text) == values
