"""Tests of the image: what it is made from, and how an engine is driven."""
