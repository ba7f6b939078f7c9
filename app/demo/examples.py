"""The files of `examples/`: agents, processes, and inputs to run them with."""

from pathlib import Path
from typing import Any

import msgspec

from app.documents import inside, read_document, read_file
from domain.agents.kinds import parse_agent
from domain.jsonvalue import parse_json
from domain.language import parse_definition


class ExamplesMissing(Exception):
    """No folder with example processes is in any of the expected places."""


class Example(msgspec.Struct, frozen=True):
    """A process to publish, and inputs to run it with, one execution each."""

    file: str
    source: bytes
    inputs: list[dict[str, Any]]


def find_examples(given: Path | None) -> Path:
    """Return `given`, by default `examples` of this checkout or of the working directory. Raises ExamplesMissing."""
    candidates = [given] if given else [Path(__file__).parents[2] / "examples", Path.cwd() / "examples"]
    for folder in candidates:
        if any(folder.glob("*.yaml")):
            return folder
    raise ExamplesMissing(f"no example processes in {' or '.join(map(str, candidates))}; name a folder with --examples")


def example_agents(folder: Path) -> dict[str, dict[str, Any]]:
    """Return canonical configurations by name: every file of `agents/` is an agent of its name. Raises Malformed."""
    agents = {}
    for file in sorted(folder.glob("agents/*.yaml")):
        with inside(str(file)):
            agents[file.stem] = parse_agent(file.stem, read_document(read_file(str(file))).value)
    return agents


def example_processes(folder: Path) -> list[Example]:
    """Return the processes, each with `<name>.input.json` and `<name>.<case>.input.json`, after those it calls.

    Raises Malformed.
    """
    examples = {
        file.stem: Example(str(file), read_file(str(file)), example_inputs(folder, file.stem))
        for file in sorted(folder.glob("*.yaml"))
    }
    called = {
        name: [use.name for use in parse_definition(example.source).processes if use.name in examples]
        for name, example in examples.items()
    }
    # Publishing refuses a cycle, with a better message.
    ordered: dict[str, Example] = {}
    while len(ordered) < len(examples):
        left = [name for name in examples if name not in ordered]
        ready = [name for name in left if ordered.keys() >= set(called[name])] or left
        ordered |= {name: examples[name] for name in ready}
    return list(ordered.values())


def example_inputs(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the inputs in the files beside a process: `<name>.input.json` and `<name>.<case>.input.json`."""
    files = [*folder.glob(f"{name}.input.json"), *folder.glob(f"{name}.*.input.json")]
    return [_input(file) for file in sorted(files)]


def _input(path: Path) -> dict[str, Any]:
    with inside(str(path)):
        value = parse_json(read_file(str(path)))
    if not isinstance(value, dict):
        raise ExamplesMissing(f"{path} holds no JSON object")
    return value
