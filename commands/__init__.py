"""Intent becomes one append: commands and their handlers."""
