"""The HTTP API: request to command to receipt, query to view; one file a noun, put together in `api.app`."""
