"""The image of the service: what it is made from, what it is called, and who builds and moves it.

`images.making` is the way in; the engine itself is driven in `images.engine` alone.
"""
