"""The lists that every append keeps: one file a list, and the registry that the append and the operators go by."""
