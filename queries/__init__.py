"""Queries return frozen views: one file a noun, read from the read models and, for events, from the log."""
