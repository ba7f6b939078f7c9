"""The steps that name an agent or call a process, those inside other steps among them."""

from typing import Any

from domain.identity import process_id
from domain.processes.events import ProcessPublished
from projections.process_references import ProcessReferencesProjection
from tests.projections.stories import Story
from tests.projections.test_projection_laws import write

INNER = {"id": "a", "type": "agent_task", "agent": "w", "message": "x", "compensation": {"agent": "undoer"}}
CALL = {"id": "b", "type": "sub_process", "process": "other"}
DEEP = {"id": "deep", "type": "sub_process", "steps": [INNER | {"roles": {"informed": ["boss"]}}, CALL]}
OUTER = {"id": "outer", "type": "sub_process", "steps": [DEEP, INNER]}


def test_steps_inside_others_are_named_with_those_around_them(read_tables: Any, story: Story, as_rows: Any) -> None:
    definition = {"name": "p", "steps": [OUTER, CALL]}
    story.tell(process_id("p"), ProcessPublished, name="p", version=1, source="", definition=definition)
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        write(connection, ProcessReferencesProjection(), as_rows(story.happened))
        found = connection.execute("select step, name, role from process_references").fetchall()
    assert {(row["step"], row["name"], row["role"]) for row in found} == {
        ("outer/deep/a", "w", "executor"),
        ("outer/deep/a", "undoer", "compensation"),
        ("outer/deep/a", "boss", "informed"),
        ("outer/deep/b", "other", "called"),
        ("outer/a", "w", "executor"),
        ("outer/a", "undoer", "compensation"),
        ("b", "other", "called"),
    }
