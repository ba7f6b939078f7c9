"""The `procession` command line; one file a noun, as in the other rooms."""

from app.cli.root import cli, main

__all__ = ["cli", "main"]
