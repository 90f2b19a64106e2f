"""What Railway can be asked: one `.graphql` document per question, beside the code that sends it.

The documents are package data, and each is validated against Railway's schema by the tests.
"""
