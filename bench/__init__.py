"""The benchmark: what the engine does, beside what the same server and machine can do at best."""
