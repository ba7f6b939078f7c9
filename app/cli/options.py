"""Options that several commands have."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
Limit = Annotated[int, typer.Option(min=1, max=200, help="At most so many.")]
Cursor = Annotated[str | None, typer.Option(help="Go on where the page before ended: its next_cursor.")]
Host = Annotated[str | None, typer.Option(help="Listen on this address [PROCESSION_HOST; default: 127.0.0.1].")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Listen on this port [PROCESSION_PORT; 8080].")]
Lease = Annotated[str | None, typer.Option(help="How long a worker keeps its steps without a sign of life [10s].")]
MaxOpen = Annotated[int | None, typer.Option(min=1, max=20_000, help="Agent calls open at once [1000].")]
Drain = Annotated[str | None, typer.Option(help="How long to wait for open calls when asked to end [30s].")]
