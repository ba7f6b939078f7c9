"""Agents: their configuration, the calls that reach them, and their answers."""
