"""The operator's pages: whether everything keeps up, what is stuck, and what can be done about it."""
