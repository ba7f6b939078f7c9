"""Who may look at whom: the contracts of pyproject.toml hold, and the domain knows only what it is allowed to."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.structure.statements import statements

ROOT = Path(__file__).parents[2]

# Beside the standard library.
DOMAIN_KNOWS = {"croniter", "domain", "msgspec", "pydantic", "pydantic_core", "tzdata", "yaml", "jsonschema_rs"}


def test_import_contracts_are_kept() -> None:
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_domain_imports_nothing_that_was_not_agreed_on() -> None:
    files = sorted((ROOT / "domain").rglob("*.py"))
    found = {
        f"{file.relative_to(ROOT)} imports {package}"
        for file in files
        for package in imported(file)
        if package not in DOMAIN_KNOWS and package not in sys.stdlib_module_names
    }
    assert files
    assert found == set()


def imported(file: Path) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in statements(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found
