"""Every command by name, with its module and its line of `procession --help`; a module is imported when its command runs.

The line is the first sentence of the command's docstring; `tests/app/test_command_table.py` keeps the two equal.
"""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

from typer.main import get_group_from_info
from typer.models import TyperInfo

from app.cli import extensions

# By module of app/cli, in the order of `procession --help`.
COMMANDS = {
    "demo": {
        "demo": "Start everything in one process, run the example processes, show them, and stay up until Ctrl-C.",
    },
    "serving": {
        "up": "Run everything in one process: API, worker and projector.",
        "serve": "Run the API only; executions go on where `procession work` runs on the same database.",
        "work": "Run a worker, and a projector unless another should.",
    },
    "migrating": {
        "migrate": "Apply the migrations that the database lacks, and create missing read tables.",
    },
    "validating": {
        "validate": "Check definitions and tell everything that is wrong with them; records nothing.",
        "schema": "Write the JSON Schema of the process language, for editors; with or without --json.",
    },
    "processes": {
        "publish": "Publish a definition as the next version of its process; the same again changes nothing.",
    },
}
