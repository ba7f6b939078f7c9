"""Other spellings of a definition, rewritten to the canonical one."""
