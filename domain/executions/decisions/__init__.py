"""Decisions about an execution: pure functions of state, command and cause."""
