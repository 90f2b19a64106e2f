"""How fast predictions are served: pointsman's service beside others, in one run on one core."""
