"""A cluster for the real `kubectl`: an API server that checks what it is given, and its pods."""
