"""A newer version of a template, the older one and a draft that was changed by hand come together."""

from domain.language.editing.edits import document_of
from domain.templates.merge import merge

OLD = """name: intake
steps:
  - {id: read, agent: reader, message: Read.}
  - {id: check, agent: clerk, message: Check., depends_on: read}
"""
NEW = """name: intake
max_running: 3
steps:
  - {id: read, agent: reader, message: Read all of it., timeout: 5m}
  - {id: check, agent: clerk, message: Check it., depends_on: read}
  - {id: pay, agent: clerk, message: Pay., depends_on: check}
"""
BY_HAND = """# Ours.
name: claims
steps:
  - {id: read, agent: reader, message: Read.}   # first
  - {id: check, agent: chief, message: Check twice., depends_on: read}
"""


def test_changes_of_both_sides_come_together() -> None:
    merged = merge(OLD, NEW, BY_HAND)

    assert [each.path for each in merged.by_template] == [
        "steps[read].message",
        "steps[read].timeout",
        "steps[check].message",
        "steps[pay]",
        "max_running",
    ]
    assert [each.path for each in merged.by_hand] == ["name", "steps[check].agent", "steps[check].message"]
    (conflict,) = merged.conflicts
    assert (conflict.path, conflict.before, conflict.by_template, conflict.by_hand) == (
        "steps[check].message",
        '"Check."',
        '"Check it."',
        '"Check twice."',
    )
    assert merged.text == (
        """# Ours.
name: claims
steps:
  - {id: read, agent: reader, message: Read all of it., timeout: "5m"}   # first
  - {id: check, agent: chief, message: Check twice., depends_on: read}
  - {id: pay, agent: clerk, message: Pay., depends_on: check}
max_running: 3
"""
    )


def test_what_the_new_version_leaves_out_goes_unless_it_was_changed() -> None:
    shorter = "name: intake\nsteps:\n  - {id: read, agent: reader, message: Read.}\n"

    assert merge(OLD, shorter, OLD).text == shorter
    changed = merge(OLD, shorter, BY_HAND)
    assert [(each.path, each.by_template) for each in changed.conflicts] == [("steps[check]", None)]
    assert changed.text == BY_HAND


def test_nothing_new_changes_nothing() -> None:
    merged = merge(OLD, OLD, BY_HAND)

    assert (merged.by_template, merged.conflicts, merged.text) == ((), (), BY_HAND)


def test_a_draft_without_changes_becomes_the_new_version() -> None:
    text = merge(OLD, NEW, OLD).text

    assert text is not None
    assert document_of(text) == document_of(NEW)


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    merged = merge(OLD, NEW, NEW)

    assert (merged.conflicts, merged.text) == ((), NEW)
