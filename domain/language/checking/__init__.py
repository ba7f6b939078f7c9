"""What has to agree between the fields of a definition."""
