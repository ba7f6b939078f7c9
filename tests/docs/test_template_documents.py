"""The page of templates: its template is one, and its checks can be read."""

from pathlib import Path

from app.template_checks.files import TemplateFiles
from app.template_checks.rendering import published
from app.template_checks.scenarios import Checks, read_checks
from domain.templates.reading import read_template
from tests.docs.reading import blocks

PAGE = Path(__file__).parents[2] / "docs" / "templates.md"


def text_that_begins(with_: str) -> bytes:
    (found,) = [block.text for block in blocks(PAGE) if block.text.startswith(with_)]
    return str(found).encode()


def test_the_template_of_the_page_is_read_without_a_word_and_its_samples_make_processes() -> None:
    read = read_template(text_that_begins("template:"))
    assert read.problems == ()
    assert read.template is not None
    agents = Checks([], {"clerk": {"script": "echo"}, "desk": {"script": "echo"}})
    for number in range(1, len(read.template.samples) + 1):
        _, process = published(TemplateFiles({}, {}), read.template, agents, number)
        assert [step.id for step in process.definition.steps] == ["read", "decide", "write"]


def test_the_checks_of_the_page_are_read() -> None:
    (scenario,) = read_checks(text_that_begins("agents:")).scenarios
    assert scenario.expect.lasts == "1d"
