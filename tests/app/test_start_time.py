"""The command line starts without what only long-running processes need; a worker without what serves requests."""

import subprocess
import sys

import pytest

SERVING = {"fastapi", "starlette", "uvicorn"}
CALLING = {"httpx2", "apscheduler"}


@pytest.mark.parametrize(
    ("module", "not_needed"), [("app.cli", SERVING | CALLING), ("app.running", SERVING), ("scheduler.worker", SERVING)]
)
def test_what_a_command_does_not_need_is_not_imported(module: str, not_needed: set[str]) -> None:
    program = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert module.partition(".")[0] in imported
    assert imported & not_needed == set()
