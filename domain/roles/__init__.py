"""Roles: which agent does the work of a step, which ones watch over it, and which ones are informed of it. Pure."""
