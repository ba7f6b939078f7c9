"""A definition that others wrote takes its name where older placeholders stand, and keeps the rest as written."""

import pytest

from domain.language import parse_definition
from domain.refusal import Malformed
from domain.templates.importing import named, named_text

OLDER = """# Written for another engine.
name: "{{process_name}}"   # given later
description: The {{ name }} of old
owner: "{{name}}"
labels: ["{{ process_name }}", plain]

steps:
  - {id: a, agent: w, message: "{{ process.name }}"}   # runs
"""


def test_older_placeholders_at_the_root_become_the_name_and_the_rest_stays() -> None:
    text = named(OLDER, "intake")

    assert text == (
        """# Written for another engine.
name: "intake"   # given later
description: The intake of old
owner: "intake"
labels: ["intake", plain]

steps:
  - {id: a, agent: w, message: "{{ process.name }}"}   # runs
"""
    )
    parsed = parse_definition(text)
    assert (parsed.name, parsed.problems) == ("intake", [])


@pytest.mark.parametrize("line", ['name: "{{name}}"\n', "name:\n", "", 'name: "{{ name }}-old"\n', "name: intake\n"])
def test_a_text_without_another_name_takes_the_name(line: str) -> None:
    text = named(f"{line}# kept\nsteps: [{{id: a, type: timer, duration: 1h}}]\nlabels: '{{{{name}}}}'\n", "intake")

    parsed = parse_definition(text)
    assert (parsed.name, [each for each in parsed.problems if each.code != "alias"]) == ("intake", [])
    assert "# kept" in str(text)
    assert "{{name}}" not in str(text)


def test_json_takes_the_name_too() -> None:
    text = named(b'{"name": "{{process_name}}", "steps": [{"id": "a", "type": "timer", "duration": "1h"}]}', "intake")

    assert text == '{"name": "intake", "steps": [{"id": "a", "type": "timer", "duration": "1h"}]}'


def test_a_text_with_another_name_is_refused_where_it_states_it() -> None:
    with pytest.raises(Malformed) as refused:
        named("# mine\nname: mine\nsteps: []\n", "intake")

    (problem,) = refused.value.problems
    assert (problem.code, problem.path, problem.line, problem.column) == ("name_differs", "name", 2, 7)


@pytest.mark.parametrize("name", ["", "A name", "a\n", "x" * 65, "{{name}}", "a: b"])
def test_what_names_no_process_is_refused(name: str) -> None:
    (problem,) = named_text(OLDER, name).problems

    assert (problem.code, problem.path) == ("invalid_name", "name")


@pytest.mark.parametrize("source", ["a: [", "- a\n", "", b"\xff", "name: {{name}}\n", "name: &x '{{name}}'\nname: 1\n"])
def test_a_text_that_cannot_be_read_stays_as_it_is(source: str | bytes) -> None:
    assert named_text(source, "intake").text == source
    assert named_text(OLDER, None).text == OLDER


def test_a_placeholder_without_a_name_beside_it_is_a_problem_that_names_the_ways_to_give_one() -> None:
    (problem,) = parse_definition('name: "{{name}}"\nsteps:\n  - {id: a, agent: w, message: m}\n').problems

    assert (problem.code, problem.path, problem.line) == ("invalid_name", "name", 1)
    assert all(way in problem.hint for way in ("?name=", "--name", "template"))
