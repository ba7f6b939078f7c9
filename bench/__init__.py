"""The benchmark: the speed of the engine beside the best of the same server and machine."""
