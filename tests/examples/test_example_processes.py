"""The example processes: there is nothing to say about them, and they take the inputs that lie beside them."""

from pathlib import Path

import pytest

from domain.identity import process_id
from domain.jsonvalue import parse_json
from domain.language import parse_definition
from domain.language.types.steps import STEP_TYPES
from domain.processes.plan import accept_input, compile_plan

FOLDER = Path(__file__).parents[2] / "examples"
PROCESSES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("file", PROCESSES, ids=lambda file: file.stem)
def test_an_example_is_read_without_a_word(file: Path) -> None:
    parsed = parse_definition(file.read_bytes())
    assert parsed.problems == []
    assert parsed.name == file.stem


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.input.json")), ids=lambda file: file.stem)
def test_an_input_is_taken_by_its_process(file: Path) -> None:
    definition = parse_definition((FOLDER / f"{file.name.split('.')[0]}.yaml").read_bytes()).definition
    assert definition is not None
    given = parse_json(file.read_bytes())
    assert isinstance(given, dict)
    accepted = accept_input(compile_plan(definition, process_id(definition.name), 1).input_spec, given)
    assert accepted.keys() >= given.keys()


def test_there_is_an_example_of_each_step_type() -> None:
    definitions = [parse_definition(file.read_bytes()).definition for file in PROCESSES]
    assert {step.type for definition in definitions if definition for step in definition.steps} == set(STEP_TYPES)
