"""Replaying a version's golden set through the door that clients use."""

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman import golden, keys
from pointsman.golden import Golden
from pointsman.manifest import Manifest, Version
from pointsman.transfer import download
from pointsman_cli import client
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError
from pointsman_cli.platforms.base import Way

_VALUES_PER_REQUEST = 1_000_000
"""About 20 MB of JSON: well below what a service accepts."""


def golden_set(context: Context, way: Way, version: Version) -> int:
    """Ask a service for the golden set's outputs; return how many rows it reproduced.

    Raises `CommandError` when answers differ, or come from another version.
    """
    if version.manifest.golden is None:
        return 0
    examples = _fetched(context, version)
    if not _fits_json(examples):
        context.output.warn(
            "the golden set holds values that JSON has no words for: it was replayed by the "
            "service when it loaded the version, but not over HTTP"
        )
        return 0
    for part in parts(examples, version.manifest):
        _compare(way, version, part)
    return examples.rows


def parts(
    examples: Golden, manifest: Manifest, values_per_request: int = _VALUES_PER_REQUEST
) -> list[Golden]:
    """Split a large golden set by rows, if the model takes any number of them."""
    values = sum(math.prod(array.shape) for array in examples.inputs.values())
    if values <= values_per_request or any(spec.shape[:1] != (-1,) for spec in manifest.inputs):
        return [examples]
    step = max(1, values_per_request * examples.rows // values)
    return [
        Golden(
            _rows(examples.inputs, start, step),
            _rows(examples.outputs, start, step),
            examples.rtol,
            examples.atol,
        )
        for start in range(0, examples.rows, step)
    ]


def _fetched(context: Context, version: Version) -> Golden:
    manifest = version.manifest
    file = next(
        file for file in manifest.files if manifest.golden and file.path == manifest.golden.path
    )
    with tempfile.TemporaryDirectory(prefix="pointsman-") as directory:
        path = Path(directory) / "golden.npz"
        key = keys.blob(manifest.model, file.sha256)
        download(context.registry.store, key, file, path, lambda _: None)
        return golden.load(path)


def _compare(way: Way, version: Version, examples: Golden) -> None:
    url = way.url
    inputs = {name: array.tolist() for name, array in examples.inputs.items()}
    answer = client.predict(url, json.dumps({"inputs": inputs}).encode(), way.headers)
    by = answer.document.get("model")
    if not isinstance(by, dict) or by.get("digest") != version.digest:
        raise CommandError(
            f"{url} was answered for by {answer.version}, and not by the "
            f"{version.manifest.version} that was to be proven",
            "Was the channel moved meanwhile? `pointsman history` tells; then deploy again.",
        )
    try:
        computed = golden.from_json(examples, answer.document["outputs"])
        difference = golden.mismatch(examples, computed)
    except (TypeError, ValueError) as error:
        difference = f"an output is not what its signature says: {error}"
    if difference:
        raise CommandError(
            f"{url} does not reproduce the golden set: {difference}",
            "It goes on running; `pointsman activate VERSION` gives it another version.",
        )


def _rows(arrays: golden.Arrays, start: int, count: int) -> dict[str, NDArray[Any]]:
    return {name: array[start : start + count] for name, array in arrays.items()}


def _fits_json(examples: Golden) -> bool:
    """JSON has neither NaN nor infinity, and no bytes."""
    return all(
        array.dtype.kind in "biuOU" or (array.dtype.kind == "f" and bool(np.isfinite(array).all()))
        for array in examples.inputs.values()
    )
