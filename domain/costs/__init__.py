"""Costs: what was used, at which prices, and what it came to."""
