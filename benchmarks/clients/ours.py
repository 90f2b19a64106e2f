"""pointsman's transfer: hashed before it is sent, verified on the way when it is brought."""

import sys
from pathlib import Path

from pointsman import transfer
from pointsman.hashing import hashed
from pointsman.manifest import File
from pointsman.stores import open_store


def main(verb: str, endpoint: str, bucket: str, key: str, path: Path) -> None:
    """Do it; the object's name ends with its size and digests, as a manifest would tell them."""
    store = open_store(f"s3://{bucket}?endpoint={endpoint}")
    if verb == "put":
        known = hashed(path)
        store.upload(key, path, known.sha256, lambda _: None, known.fingerprint)
        return
    size, sha256, blake3 = key.rsplit("/", 1)[-1].split("-")
    file = File(path=key, size=int(size), sha256=sha256, blake3=blake3)
    transfer.download(store, key, file, path, lambda _: None)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], Path(sys.argv[5]))
