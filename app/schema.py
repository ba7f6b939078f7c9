"""`python -m app.schema > store/schema.sql`: writes the schema that the migrations create."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from embedded import embedded
from store.migrating import migrate
from store.schema import describe


def main() -> None:
    """Migrate a server of its own, and print its schema."""
    with TemporaryDirectory() as home:
        server = embedded(Path(home))
        try:
            migrate(server.conninfo)
            with psycopg.connect(server.conninfo) as connection:
                sys.stdout.write(describe(connection))
        finally:
            server.close(wait=True)


if __name__ == "__main__":
    main()
