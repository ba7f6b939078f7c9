"""The archive: ended execution trees that left the log for files. Pure."""
