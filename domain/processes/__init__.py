"""Processes: what is to be done, written in the process language, drafted, published in versions, archived."""
