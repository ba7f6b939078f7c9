"""`python -m app.schema > store/schema.sql`: writes the schema that the migrations create."""

import sys
from uuid import uuid4

from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from app.database import Database
from app.settings import read_settings
from store.connections import connect
from store.migrating import migrate
from store.schema import describe


def main() -> None:
    """Migrate a database of its own on the server in use, print its schema, and drop the database."""
    name = f"schema_{uuid4().hex[:12]}"
    with Database(read_settings()) as database, connect(database.dsn) as admin:
        admin.execute(SQL("create database {}").format(Identifier(name)))
        try:
            dsn = make_conninfo(database.dsn, dbname=name)
            migrate(dsn)
            with connect(dsn) as connection:
                sys.stdout.write(describe(connection))
        finally:
            admin.execute(SQL("drop database {} with (force)").format(Identifier(name)))


if __name__ == "__main__":
    main()
