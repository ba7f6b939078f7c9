"""The types of a definition: the values that each field accepts."""
