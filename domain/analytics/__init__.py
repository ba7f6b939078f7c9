"""Analytics: what is counted, in which window of time."""
