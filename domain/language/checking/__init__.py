"""Consistency checks between the fields of a definition."""
