"""The engine: the necessary consequences of an event, as further events of the same decision."""
