"""The reference pages of `docs/`, written from the code, and links that lead somewhere."""
