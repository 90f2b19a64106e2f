"""Tests of the platform railway: rules on their own, and deployments against its fake servers."""
