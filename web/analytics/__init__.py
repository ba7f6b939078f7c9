"""Pages of analytics: all processes, one process, and their tables as CSV."""
