"""Templates: definitions with typed parameters in them, read, answered, rendered and made from processes."""
