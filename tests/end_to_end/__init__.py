"""Real processes, real connections, real files."""
