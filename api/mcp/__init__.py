"""The Model Context Protocol at ``/mcp``: the inbox of an agent as tools, a resource, and events to poll.

Importing this package imports nothing; the first request to ``/mcp`` loads the ``mcp`` package.
"""
