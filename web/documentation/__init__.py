"""The documentation of the HTTP API as a page, from the description that programs read."""
