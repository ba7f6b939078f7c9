"""Laws of references to large results: only this installation makes them, and each is found and replaced whole."""

from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.large_results import KEY, is_reference, refer, references_in, referred, replaced
from domain.masking import MASK, Secrets

MINE, OTHER = b"key of this installation", b"key of another one"
EXECUTION = UUID(int=1)
contents = st.binary(max_size=20)
plain = st.recursive(
    st.one_of(st.text(max_size=5), st.integers(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([KEY, "a", "digest"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(content=contents)
def test_a_reference_survives_its_event_and_is_found_again(content: bytes) -> None:
    reference = refer(MINE, EXECUTION, content)
    stored = msgspec.json.decode(msgspec.json.encode(reference.value))
    assert is_reference(stored)
    assert referred(MINE, stored) == reference


@given(content=contents, field=st.sampled_from(["digest", "bytes", "seal", "execution"]), data=st.data())
def test_whatever_others_write_in_its_form_is_none(content: bytes, field: str, data: st.DataObject) -> None:
    genuine = refer(MINE, EXECUTION, content).value
    assert referred(OTHER, genuine) is None
    changed = {KEY: {**genuine[KEY], field: data.draw(plain)}}
    assert referred(MINE, changed) is None or changed == genuine
    assert referred(MINE, {**genuine, "more": 1}) is None


@given(value=plain, content=contents)
def test_only_references_are_replaced_wherever_they_stand(value: Any, content: bytes) -> None:
    assert list(references_in(MINE, value)) == []
    assert replaced(MINE, value, {}) == value
    reference = refer(MINE, EXECUTION, content)
    held = {"a": [value, reference.value], "b": reference.value}
    assert list(references_in(MINE, held)) == [reference] * 2
    given = {(EXECUTION, reference.digest): "content"}
    assert replaced(MINE, held, given) == {"a": [value, "content"], "b": "content"}


def test_a_reference_under_a_sensitive_path_masks_every_text() -> None:
    reference = refer(MINE, EXECUTION, b"secret").value
    for document, path in ((reference, ("ssn",)), ({"all": reference}, ("all",)), ({"all": [reference]}, ("all",))):
        secrets = Secrets()
        secrets.collect(document, [path])
        assert secrets.masked({"other": "text"}) == {MASK: MASK}
