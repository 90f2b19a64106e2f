"""Real services, as processes, and the command beside them."""
