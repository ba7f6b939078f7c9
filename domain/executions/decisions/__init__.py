"""What may be done to an execution: pure functions of state, command and cause."""
