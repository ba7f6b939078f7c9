"""Two releases side by side: the tree of the release before, and an installation of either on one database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database import cloned
from tests.processes import Processes

BEFORE = "f98a8c9"
"""The last commit of the release before: its `append_events` has 36 parameters, and moves every list.

It builds no read tables beside those in use.
"""

HERE = Path(__file__).parents[2]
PROGRAM = "from app.cli import main; main()"


@pytest.fixture(scope="session")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the release before, taken from the history."""
    tree = tmp_path_factory.mktemp("release")
    archive = subprocess.run(["git", "archive", BEFORE], cwd=HERE, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the history does not hold {BEFORE}, the release before: {archive.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
    return tree


class ReleaseBefore(Processes):
    """An installation of the release before."""

    tree: Path

    def _begin(self, name: str, arguments: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "DATABASE_URL": self.dsn, **self.settings, "PYTHONPATH": str(self.tree)}
        with (self.directory / f"{name}.log").open("ab") as words:
            return subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *arguments],
                cwd=self.tree,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )


@pytest.fixture
def old(server: str, release_before: Path, tmp_path: Path) -> Iterator[ReleaseBefore]:
    """Yield the release before on an empty database, with nothing running."""
    with cloned(server) as dsn, ReleaseBefore(tmp_path, dsn, PROCESSION_POOL_SIZE="4") as made:
        made.tree = release_before
        yield made


@pytest.fixture
def new(old: ReleaseBefore, tmp_path: Path) -> Iterator[Processes]:
    """Yield this release on the same database, with nothing running."""
    folder = tmp_path / "new"
    folder.mkdir()
    with Processes(folder, old.dsn, PROCESSION_POOL_SIZE="4") as made:
        yield made
