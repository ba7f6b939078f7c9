"""The pages of executions: the list, and one with its steps."""
