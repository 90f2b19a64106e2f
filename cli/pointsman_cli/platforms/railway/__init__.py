"""Railway: its GraphQL interface and its upload, and what a deployment of ours makes of them.

`api` speaks to Railway, one document per question; the other modules are what is said.
"""
