"""Other people's clients of the Open Inference Protocol, each in an environment of its own.

A folder here is a client: `requirements.txt` pins what it needs, `conversation.py` is run by its
Python with the addresses of services, and fails where the client is not content.
"""
