"""The `pointsman` command: what operators type, and what comes back."""
