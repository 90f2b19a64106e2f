"""Tests of the registry: stores, documents, publishing, the cache."""
