"""The inbox of an agent: which events make an entry, its summary, and the filter that the agent sets. Pure."""
