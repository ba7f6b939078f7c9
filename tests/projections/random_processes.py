"""Random histories of processes."""

from typing import Any

from hypothesis import strategies as st

from domain.identity import process_id
from domain.processes.events import (
    ProcessArchived,
    ProcessDrafted,
    ProcessPaused,
    ProcessPublished,
    ProcessRestored,
    ProcessResumed,
    ProcessRevised,
)
from tests.projections.random_templates import LINEAGES, MADE_FROM
from tests.projections.stories import Story


def tell_process(draw: st.DrawFn, story: Story, name: str, begun: set[Any]) -> None:
    """Something happens to a process."""
    stream = process_id(name)
    if name not in begun:
        begun.add(name)
        story.tell(stream, ProcessDrafted, name=name, source="draft", lineage=draw(LINEAGES))
        return
    kind = draw(
        st.sampled_from(
            [
                ProcessRevised,
                ProcessPublished,
                ProcessPublished,
                ProcessArchived,
                ProcessRestored,
                ProcessPaused,
                ProcessResumed,
            ]
        )
    )
    if kind is ProcessPublished:
        version = 1 + sum(isinstance(event, ProcessPublished) and event.name == name for _, event in story.happened)
        definition = draw(
            st.sampled_from([{}, {"description": "d", "labels": ["x"], "owner": "ann"}, {"owner": "bob"}])
        )
        story.tell(
            stream, kind, name=name, version=version, source=f"v{version}", definition=definition, **draw(MADE_FROM)
        )
    elif kind is ProcessRevised:
        story.tell(stream, kind, name=name, source=f"revision {len(story.happened)}")
    elif kind is ProcessRestored:
        version = sum(isinstance(event, ProcessPublished) and event.name == name for _, event in story.happened)
        source = draw(st.sampled_from([None, "draft"]))
        story.tell(stream, kind, name=name, reason="needed", version=version, source=source)
    elif kind is ProcessPaused:
        story.tell(stream, kind, name=name, reason="broken", mode=draw(st.sampled_from(["queue", "refuse"])))
    else:
        story.tell(stream, kind, name=name, reason="old")
