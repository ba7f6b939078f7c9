"""Schedules: what they expect, and what became of each expected instant."""
