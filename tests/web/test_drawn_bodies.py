"""The steps inside a step on a diagram: in its box, however deep, and beside no other box."""

import re
from collections.abc import Iterator
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language import parse_definition
from web.drawings.boxes import HEAD, SIZE, DrawnBody, DrawnFold, DrawnStep
from web.drawings.diagram import diagram
from web.drawings.ranks import DiagramEdge
from web.processes.drawing import drawing_of_definition
from web.processes.open_steps import LONGEST, OpenSteps

NOBODY = UUID(int=0)
NESTED = """
name: nested
steps:
  - {id: first, agent: one, message: hi}
  - id: outer
    name: Outer
    type: sub_process
    depends_on: first
    for_each: {items: [1, 2], as: number}
    steps:
      - id: inner
        type: sub_process
        input_mapping: {number: "{{ input.number }}"}
        repeat: {until: round == 2}
        steps: [{id: deep, agent: two, message: "{{ input.number }}"}]
  - {id: last, agent: one, message: bye, depends_on: outer}
"""
Rectangle = tuple[float, float, float, float]


def drawn(opened: OpenSteps) -> ElementTree.Element:
    definition = parse_definition(NESTED).definition
    assert definition is not None
    return ElementTree.fromstring(drawing_of_definition(NOBODY, definition, "nested", opened=opened))


def bodies(root: ElementTree.Element) -> list[str]:
    return [each.attrib["aria-label"] for each in root.iter("svg") if "aria-label" in each.attrib][1:]


def folds(root: ElementTree.Element) -> dict[str, str]:
    return {each.attrib["aria-label"]: each.attrib["href"] for each in root.iter("a") if each.get("class") == "fold"}


def test_a_closed_step_has_a_link_that_opens_it() -> None:
    root = drawn(OpenSteps(frozenset(), "/processes/nested?colour=cost"))
    assert bodies(root) == []
    assert folds(root) == {"Show the 1 step inside Outer": "/processes/nested?colour=cost&inside=outer#h-dia"}


def test_an_open_step_shows_those_inside_it_and_a_link_that_closes_it() -> None:
    root = drawn(OpenSteps(frozenset(("outer",)), "/processes/nested"))
    assert bodies(root) == ["Diagram of the 1 step inside outer"]
    assert folds(root) == {
        "Hide the 1 step inside Outer": "/processes/nested#h-dia",
        "Show the 1 step inside inner": "/processes/nested?inside=outer,outer/inner#h-dia",
    }


def test_without_an_address_all_steps_are_open() -> None:
    root = drawn(OpenSteps())
    assert bodies(root) == ["Diagram of the 1 step inside outer", "Diagram of the 1 step inside outer/inner"]
    assert folds(root) == {}


def test_places_that_are_not_there_open_nothing() -> None:
    root = drawn(OpenSteps(frozenset(("first", "nowhere", "")), "/processes/nested"))
    assert bodies(root) == []


@pytest.mark.parametrize("length", [3, 40, 700])
def test_an_address_stays_within_the_length_of_its_parameter(length: int) -> None:
    places = [f"{n:04}".ljust(length, "x") for n in range(1_000)]
    opened = OpenSteps(frozenset(places), "/p")
    found = re.fullmatch(r"/p\?inside=(.*)#h-dia", opened.toggled("new"))
    assert found is not None
    assert len(found[1]) <= LONGEST
    assert found[1].split(",")[-1] == "new"


@st.composite
def bodies_drawn(draw: st.DrawFn, depth: int = 0) -> tuple[tuple[DrawnStep, ...], tuple[DiagramEdge, ...]]:
    """Return steps and the edges between them, some of them open, down to four levels."""
    count = draw(st.integers(1, 5))
    steps = []
    for number in range(count):
        holds = depth < 3 and draw(st.booleans())
        inner = draw(bodies_drawn(depth + 1)) if holds else ((), ())
        body = DrawnBody(label=f"{depth}", steps=inner[0], edges=inner[1]) if inner[0] else None
        fold = DrawnFold(body=body, href="/x", label="x") if holds else None
        type = "sub_process" if holds else draw(st.sampled_from(["agent_task", "gateway", "timer"]))
        steps.append(DrawnStep(id=f"s{number}", name=f"Step {number}", type=type, fold=fold))
    pairs = [(f"s{a}", f"s{b}") for a in range(count) for b in range(a + 1, count)]
    return tuple(steps), tuple(draw(st.lists(st.sampled_from(pairs), unique=True))) if pairs else ()


@given(bodies_drawn())
def test_no_box_or_edge_covers_another_box_and_each_body_is_within_its_box(
    found: tuple[tuple[DrawnStep, ...], tuple[DiagramEdge, ...]],
) -> None:
    check(ElementTree.fromstring(diagram(*found, "all")))


def check(drawing: ElementTree.Element) -> None:
    """Require of a drawing, and of those inside it, that boxes are apart, edges pass them, and bodies are in them."""
    boxes = list(boxes_of(drawing))
    assert all(apart(one, other) for n, one in enumerate(boxes) for other in boxes[:n])
    left, top, width, height = map(float, drawing.attrib["viewBox"].split())
    assert all(left <= x and top <= y and x + w <= left + width and y + h <= top + height for x, y, w, h in boxes)
    assert all(apart(curve, box) for curve in curves_of(drawing) for box in boxes if box[3] > SIZE.height)
    for inner in (each for each in drawing if each.tag == "svg"):
        x, y, w, h = (float(inner.attrib[name]) for name in ("x", "y", "width", "height"))
        (held,) = [
            box
            for box in boxes
            if box[0] <= x and box[1] + HEAD <= y + 1 and x + w <= box[0] + box[2] and y + h <= box[1] + box[3]
        ]
        assert held
        check(inner)


def boxes_of(drawing: ElementTree.Element) -> Iterator[Rectangle]:
    """Yield the rectangles of the steps of a drawing, without the second one behind a closed step that holds others."""
    for step in drawing:
        if step.get("class", "").startswith("nd"):
            rectangles = [each for each in step if each.tag == "rect"]
            if rectangles:
                yield tuple(float(rectangles[-1].attrib[name]) for name in ("x", "y", "width", "height"))  # type: ignore[misc]


def curves_of(drawing: ElementTree.Element) -> Iterator[Rectangle]:
    """Yield the rectangles within which the edges of a drawing bend."""
    for path in (each for each in drawing if each.get("class", "").startswith("ed")):
        x = y = 0.0
        for kind, numbers in re.findall(r"([MHC])([-0-9. ]+)", path.attrib["d"]):
            *_, to_x, to_y = (y, *map(float, numbers.split())) if kind != "H" else (float(numbers), y)
            if kind == "C":
                yield min(x, to_x), min(y, to_y), abs(to_x - x), abs(to_y - y)
            x, y = to_x, to_y


def apart(one: Rectangle, other: Rectangle) -> bool:
    return (
        one[0] + one[2] <= other[0]
        or other[0] + other[2] <= one[0]
        or one[1] + one[3] <= other[1]
        or other[1] + other[3] <= one[1]
    )
