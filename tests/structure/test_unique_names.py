"""One name stands for one thing: no two public classes or type aliases of the product share a name."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = (
    *(
        "domain",
        "commands",
        "projections",
        "queries",
        "edge",
        "api",
        "web",
        "scheduler",
        "store",
        "embedded",
        "gateway",
    ),
    *("app", "bench"),
)


def test_no_two_public_classes_share_a_name() -> None:
    found = homes()
    assert len(found) > 500
    assert {name: sorted(modules) for name, modules in found.items() if len(modules) > 1} == {}


def test_classes_and_aliases_are_found() -> None:
    classes = "class A: ...\nclass _B: ...\n"
    aliases = "C = int | str\nD: TypeAlias = int\nE = NewType('E', int)\nF = A\n"
    others = "G = 3\n_H = int\nI_J = {}\nT = TypeVar('T')\n"
    source = classes + aliases + others
    assert set(public_names(source)) == {"A", "C", "D", "E", "F"}


def homes() -> dict[str, set[str]]:
    """Return the modules of each public class or type alias, by its name."""
    found: dict[str, set[str]] = defaultdict(set)
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            for name in public_names(file.read_text("utf-8")):
                found[name].add(file.relative_to(ROOT).as_posix())
    return found


def public_names(source: str) -> list[str]:
    """Return the public classes and type aliases that a module defines at its top level."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found += [node.target.id] if "TypeAlias" in ast.dump(node.annotation) else []
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            value = node.value
            is_value = isinstance(value, ast.Constant | ast.Dict | ast.List | ast.Set | ast.Tuple)
            is_value = is_value or (isinstance(value, ast.Call) and ast.unparse(value.func) in ("TypeVar", "ParamSpec"))
            found += [] if is_value else [node.targets[0].id]
    return [name for name in found if not name.startswith("_") and name[0].isupper() and is_camel(name)]


def is_camel(name: str) -> bool:
    """Return whether a name is written as a class is, not as a constant: ``A``, ``StepRow``."""
    return len(name) == 1 or any(letter.islower() for letter in name)
