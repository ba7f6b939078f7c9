"""Processes: written in the process language, drafted, published in versions, archived."""
