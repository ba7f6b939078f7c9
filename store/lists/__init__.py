"""The lists that every append keeps: one file a list, and the registry that appends and operators use."""
