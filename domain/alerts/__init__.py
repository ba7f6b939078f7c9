"""Cost alerts: limits of what a process may cost, and what becomes of reaching one."""
