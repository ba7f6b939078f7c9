"""Rows of pages that keep themselves up to date: each has an id, so that focus and what is open stay with it."""

import re
from pathlib import Path

PAGES = Path(__file__).parents[2] / "web" / "pages"
# Pages that stay as they were opened.
STILL = {
    "compare.html",
    "documentation.html",
    "execution-compare.html",
    "key-made.html",
    "problem.html",
    "problems.html",
    "publish-problems.html",
    "publish.html",
    "schedule-preview.html",
    "schedule-previews.html",
}
# The navigation and the breadcrumb are the same on every page of a kind.
FRAME = {"frame.html", "ui.html", "controls.html"}
ROW = re.compile(
    r"{% for [^%]*%}(?:\s|{%[^%]*%})*<(?:tr|li|section)(?P<attributes>(?:{[%{][^}]*}}?|[^>{])*)>"
    r"(?P<inside>.*?){% endfor %}",
    re.DOTALL,
)


def nameless(text: str) -> list[str]:
    """Return the beginnings of rows that a person can stand in, and that have no id."""
    rows = ROW.finditer(text)
    return [
        each[0][:120]
        for each in rows
        if re.search(r"<(?:a|button|details|input|textarea)\b", each["inside"]) and ' id="' not in each["attributes"]
    ]


def test_every_row_that_holds_a_link_or_a_control_has_an_id() -> None:
    pages = [path for path in PAGES.rglob("*.html") if path.name not in STILL | FRAME]
    assert len(pages) > 20
    assert {path.name: found for path in pages if (found := nameless(path.read_text()))} == {}


def test_a_row_without_an_id_is_found() -> None:
    assert nameless('{% for each in items %}\n<tr class="x"><td><a href="y">z</a></td></tr>{% endfor %}')
    assert not nameless('{% for each in items %}<tr id="row-{{ each.id }}"><td><a href="y">z</a></td></tr>{% endfor %}')
