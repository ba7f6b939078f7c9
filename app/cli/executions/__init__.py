"""Commands about executions: start, executions, show, diff."""
