"""Tamper evidence: who published a version, and who moved a channel, proven by Ed25519.

`keypair` holds keys, `statement` says which bytes are signed, `trust` is the rules by which a
reader believes, `notary` is what a registry signs and checks with. See `docs/signing.md`.
"""
