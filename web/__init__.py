"""The pages: the HTML door, with the same commands and queries as the API."""
