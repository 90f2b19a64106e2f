"""Tests are sentences about behaviour; see CONTRIBUTING.md."""
