"""Driving the engine: finding the command and the state, running operations, reading failures."""
