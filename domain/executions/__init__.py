"""Executions: one run of a published process, step by step."""
