"""The inbox of an agent: its entries by the roles and filters of their time, and its state."""
