"""The log in PostgreSQL: event store, the lists that appends keep, migrations, connections."""
