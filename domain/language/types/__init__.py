"""The types of a definition: what each field may hold."""
