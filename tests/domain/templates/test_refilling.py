"""The lineage of a process goes on to later versions of its template, and is published with them."""

from datetime import UTC, datetime

import pytest

from domain.event import Cause, record
from domain.language import parse_definition
from domain.processes.decisions import publish_process, revise_process
from domain.processes.events import ProcessDrafted, ProcessRevised
from domain.processes.lineage import Lineage
from domain.processes.process import fold
from domain.refusal import Malformed
from domain.templates.refilling import FilledVersion, lineage_after
from tests.scenario import scenario

CAUSE = Cause(datetime(2026, 12, 1, tzinfo=UTC), "user:ann")
TEXT = "name: claims\nsteps:\n  - {id: pause, type: timer, duration: 1m}\n"
FIRST = Lineage("org:intake", 1, {"words": 3}, {"clerk": "chief"})
SECOND = Lineage("org:intake", 2, {"words": 3, "tone": "warm"}, {"clerk": "chief"})
FILLED = FilledVersion("name: claims", (), {"words": 3, "tone": "warm"})

given = scenario(fold)


def drafted() -> ProcessDrafted:
    return record(ProcessDrafted, CAUSE, name="claims", source=TEXT, lineage=FIRST)


def test_a_later_version_is_recorded_even_with_the_same_text() -> None:
    given(drafted()).when(lambda process: revise_process(process, parse_definition(TEXT), CAUSE, SECOND)).then(
        record(ProcessRevised, CAUSE, name="claims", source=TEXT, lineage=SECOND)
    )
    given(drafted()).when(lambda process: revise_process(process, parse_definition(TEXT), CAUSE, FIRST)).then()


def test_a_text_alone_keeps_the_version_and_publishing_repeats_it() -> None:
    taken = record(ProcessRevised, CAUSE, name="claims", source=TEXT, lineage=SECOND)
    later = record(ProcessRevised, CAUSE, name="claims", source=TEXT + "# by hand\n")
    process = fold([drafted(), taken, later])

    assert process is not None
    assert process.lineage == SECOND
    (published,) = publish_process(process, parse_definition(later.source), [], CAUSE)
    assert getattr(published, "template_version") == 2  # noqa: B009


def test_a_lineage_goes_on_only() -> None:
    assert lineage_after(FIRST, 2, FILLED) == SECOND
    assert lineage_after(SECOND, 2, FILLED) is SECOND
    assert lineage_after(FIRST, 2, FilledVersion(None)).answers == FIRST.answers
    with pytest.raises(Malformed) as refused:
        lineage_after(SECOND, 1, FILLED)
    assert refused.value.problems[0].code == "template_version_older"
