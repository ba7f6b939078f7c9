"""The agents and the outside: one file an adapter, and the gateway that holds their open calls."""
