"""Random histories of templates, and of what was made from them."""

from typing import Any

from hypothesis import strategies as st

from domain.identity import template_id
from domain.processes.lineage import Lineage
from domain.templates.events import TemplatePublished, TemplateRevised, TemplateShared, TemplateWithdrawn
from tests.projections.stories import Story

LINEAGES = st.none() | st.builds(
    Lineage, st.sampled_from(["org:t1", "bundled:x\0"]), st.integers(1, 3), st.just({"a": {"b": [1]}})
)
MADE_FROM = st.sampled_from([{}, {"template_id": "org:t1", "template_version": 2}])


def tell_template(draw: st.DrawFn, story: Story, name: str, begun: set[Any]) -> None:
    """Something happens to a template."""
    stream = template_id(name)
    if stream not in begun:
        begun.add(stream)
        facts = {"description": "so\0so", "tags": ["a"], "team": draw(st.sampled_from(["", "desk"]))}
        story.tell(stream, TemplatePublished, name=name, source="template", title="T", process="p0", **facts)
        return
    kind = draw(st.sampled_from([TemplateRevised, TemplateShared, TemplateWithdrawn]))
    if kind is TemplateRevised:
        version = 2 + sum(isinstance(event, kind) and event.name == name for _, event in story.happened)
        story.tell(stream, kind, name=name, source=f"v{version}", title=f"T{version}", version=version)
    elif kind is TemplateShared:
        story.tell(stream, kind, name=name, shared_with=draw(st.sampled_from(["private", "organisation"])))
    else:
        story.tell(stream, kind, name=name, reason="ol\0d")
