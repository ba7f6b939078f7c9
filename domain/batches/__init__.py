"""Batches: one act of an operator on many executions, whose list is frozen before anyone acts on it."""
