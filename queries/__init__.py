"""Questions become frozen views: one file a noun, answered from the read models and, for events, from the log."""
