"""Tests of the image as a container on this machine; with a real engine in `tests/end_to_end`."""
