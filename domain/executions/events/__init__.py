"""The events of an execution, one file a concept."""
