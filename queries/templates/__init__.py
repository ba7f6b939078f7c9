"""Templates: the library, one in detail, what would be made from it, and what was."""
