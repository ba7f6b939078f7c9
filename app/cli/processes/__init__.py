"""Commands about definitions of processes in files: validate, publish, schema."""
