"""Commands and their handlers: each handler records an intent in one append."""
