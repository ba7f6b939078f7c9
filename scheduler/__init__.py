"""What runs without being asked: the dispatcher, its lease, the reactor, the projector."""
