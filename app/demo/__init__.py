"""The demo: example agents and processes, run with real input and shown while they run."""
