"""The HTTP API: request to command to receipt, query to view; one file a noun; `api.app` joins them."""
