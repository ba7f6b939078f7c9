"""Agents: who does the work, how they are called, and what they answer."""
