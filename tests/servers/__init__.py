"""Real servers as processes, for tests to talk to."""
