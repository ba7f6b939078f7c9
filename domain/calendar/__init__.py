"""Cron expressions, time zones, durations and times of day; imports nothing of the domain above it."""
