"""Facts and rules: events, states, decisions, the language and the engine; no I/O."""
