"""The pages of processes: the list, one with its versions, the form that starts it, the archive."""
