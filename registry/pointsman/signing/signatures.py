"""Signatures of manifests in a store: one small object per version and key, beside the manifest.

They are apart from the manifest because a version is immutable and its signatures are not: one
that was published unsigned can be signed later, and by a new key when the old one is retired.
Their key holds the digest of what they sign, so that no two publishers are in each other's way.
"""

from pointsman import document, keys
from pointsman.digest import hex_of
from pointsman.errors import InvalidDocument, ObjectNotFound
from pointsman.manifest import Version
from pointsman.signing.keypair import SigningKey
from pointsman.signing.statement import Signature, manifest_statement
from pointsman.stores.base import ObjectStore


def sign(store: ObjectStore, version: Version, key: SigningKey) -> None:
    """Add a version's signature by `key`; the same one again changes nothing.

    Raises `StoreError`.
    """
    manifest = version.manifest
    statement = manifest_statement(manifest.model, manifest.version, version.digest)
    signature = Signature.of(key.public.id, key.sign(statement))
    place = keys.signature(manifest.model, hex_of(version.digest), key.public.id)
    store.overwrite(place, document.encode(signature))


def find(store: ObjectStore, version: Version, key_ids: list[str]) -> list[Signature]:
    """Return the signatures of a version by these keys, as far as there are any.

    Raises `StoreError` when the store does not answer; what cannot be read is no signature.
    """
    digest = hex_of(version.digest)
    found = [
        _read(store, keys.signature(version.manifest.model, digest, key_id)) for key_id in key_ids
    ]
    return [signature for signature in found if signature is not None]


def _read(store: ObjectStore, key: str) -> Signature | None:
    try:
        stored = store.get(key)
        return document.decode(stored.data, Signature, key) if stored else None
    except (ObjectNotFound, InvalidDocument):
        return None
