"""The schema as one file is what the migrations add up to."""

from importlib.resources import files

import psycopg

from store.schema import describe


def test_the_schema_file_is_what_the_migrations_add_up_to(own_dsn: str) -> None:
    with psycopg.connect(own_dsn) as connection:
        assert describe(connection) == files("store").joinpath("schema.sql").read_text("utf-8")


def test_the_schema_file_makes_a_database_that_is_described_by_it(own_dsn: str) -> None:
    text = files("store").joinpath("schema.sql").read_text("utf-8")
    with psycopg.connect(own_dsn, autocommit=True) as connection:
        connection.execute("drop schema building, previous, rebuilding, public cascade")
        connection.execute("create schema public")
        connection.execute(text)
        assert describe(connection) == text
