"""Executions that left the log: their files, and the rows in the database that name them."""
