"""Resources that no Pulumi package makes, each a provider class and the resource it backs.

The engine keeps a provider by the dotted name of its class, in every state ever written: none
of these classes may be renamed or moved. Numbers arrive as floats, and what is unknown during
a preview as a marker.
"""
