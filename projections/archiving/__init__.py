"""Archiving: ended execution trees leave the log, a portion at a time, and the figures keep their part."""
