"""Checks of templates: scenarios that run to their end in memory, with scripted agents and a clock moved by hand."""
