"""Derived ids: the same for every caller, and sorted by time where they name executions."""

from uuid import UUID

from domain.identity import child_id, new_id


def test_a_child_has_the_time_of_its_parent_and_a_hash() -> None:
    parent = new_id()
    child = child_id(parent, "call", 1)

    assert (child.version, child.int >> 80) == (8, parent.int >> 80)
    assert child == child_id(parent, "call", 1)
    others = {child_id(parent, "call", 2), child_id(parent, "other", 1), child_id(new_id(), "call", 1)}
    assert child not in others
    assert len(others) == 3
    assert child_id(child, "call", 1).int >> 80 == parent.int >> 80


def test_a_parent_without_a_time_has_children_as_before() -> None:
    parent = UUID("b7c3a1f0-6a55-5c0e-9d3e-2f1f0a9d8c7b")

    assert child_id(parent, "call", 1).version == 5
