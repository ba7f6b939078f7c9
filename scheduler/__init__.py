"""The work that no request starts: workers, with their duties and leases, and the projector."""
