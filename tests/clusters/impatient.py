"""The program `procession`, whose pools wait a tenth as long for a connection, and keep idle ones a tenth as long."""

import store.connections
from app.cli import main

if __name__ == "__main__":
    store.connections.IDLE_SECONDS /= 10
    store.connections.POOL_TIMEOUT_SECONDS /= 10
    main()
