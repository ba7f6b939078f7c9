"""Definitions with the usual mistakes, as designers write them: each is found, with its line and the remedy.

A file begins with its problems, one comment a problem: severity, line, code and hint.
"""

from pathlib import Path

import pytest

from domain.language import parse_definition

FILES = sorted((Path(__file__).parent / "mistaken").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mistake_is_found_where_it_stands_and_its_remedy_is_named(file: Path) -> None:
    source = file.read_text("utf-8")
    expected = [line[2:] for line in source.splitlines() if line.startswith("# ")]
    assert expected
    found = [problem for problem in parse_definition(source).problems if problem.severity != "notice"]
    shown = [f"{each.severity} {each.line} {each.code}" + (f": {each.hint}" if each.hint else "") for each in found]
    assert shown == expected
