"""The HTTP API: request to command to receipt, query to view; one file a noun."""

from api.app import create_app
from api.services import Services

__all__ = ["Services", "create_app"]
