"""Commands about timers: timers, fire-timer, move-timer."""
