"""The diagram of a process coloured by what its steps took, and what the coming runs are likely to cost."""

import re

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Installation
from tests.web.test_pages import Begin, begin

__all__ = ["begin"]
TWO = """
name: two
steps:
  - {id: first, agent: writer, message: a}
  - {id: ask, type: human_approval, depends_on: first}
"""


@pytest.fixture
def page_of(client: TestClient, installation: Installation, begin: Begin) -> None:
    id = begin(TWO, "two")
    installation.answer(id, "first")
    installation.project()
    client.post(f"/api/approvals/{id}:ask:1/reject", json={"comment": "no"})
    installation.project()


def shades(page: str) -> list[str]:
    return re.findall(r'class="nd c-idle( h\d)?"', page)


def test_steps_are_coloured_by_failures_and_say_the_number(client: TestClient, page_of: None) -> None:
    assert shades(client.get("/processes/two").text) == ["", ""]
    page = client.get("/processes/two?colour=failures").text
    assert shades(page) == ["", " h4"]
    assert "1 failed" in page
    assert "the number of executions that failed at it" in page
    assert 'aria-current="true">Failures' in page


def test_a_colour_without_figures_says_so_and_an_unknown_one_is_plain(client: TestClient, page_of: None) -> None:
    page = client.get("/processes/two?colour=cost").text
    assert "No step has such a figure in these 30 days." in page
    assert shades(page) == ["", ""]
    plain = client.get("/processes/two?colour=<script>").text
    assert 'aria-current="true">Plain' in plain
    assert "<script>" not in plain.partition("h-dia")[2].partition("</section>")[0]
