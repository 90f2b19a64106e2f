"""Kubernetes: objects rendered here, applied and watched through `kubectl`."""
