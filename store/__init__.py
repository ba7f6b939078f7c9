"""The log and PostgreSQL: event store, to-do list, migrations, pool, embedded server."""
