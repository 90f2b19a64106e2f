"""The service over HTTP: a small ASGI function for what is hot, FastAPI behind it for the rest."""
