"""Stand-ins that implement our own interfaces; nothing of ours is patched."""
