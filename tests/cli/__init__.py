"""Tests of the command: what it says, what it changes, and how it ends."""
