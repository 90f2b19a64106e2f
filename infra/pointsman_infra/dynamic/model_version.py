"""A declared model: a version that the stack publishes, by the code that `upload-model` uses.

Created once. The same content under the same name is adopted, other content is refused; what
vanished from the store is published again after a refresh; nothing is ever deleted with the
stack. The model's bytes do not pass through the engine: only the path does.
"""

import time
from pathlib import Path
from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from pointsman import keys
from pointsman.digest import identity
from pointsman.errors import (
    InvalidDocument,
    NotFound,
    ObjectNotFound,
    PointsmanError,
    StoreDenied,
    StoreMisconfigured,
)
from pointsman.hashing import hashed
from pointsman.manifest import Version
from pointsman.publishing import Published
from pointsman.registry import Registry
from pointsman.version_files import gather
from pointsman_infra import administrator
from pointsman_infra.dynamic.failure import told
from pointsman_infra.settings import DeclaredModel

# A key that was issued a moment ago is unknown to parts of a large provider for some seconds.
_PATIENCE_SECONDS = 60
_PAUSE_SECONDS = 2
_IDENTITY = ("store", "model", "version", "content")


class ModelVersionProvider(ResourceProvider):
    """Publishes and looks; has no way to delete."""

    serialize_as_secret_always = False

    def check(self, olds: Any, news: Any) -> CheckResult:
        """Hash the files, so that a preview shows a change; once published they may be gone."""
        try:
            content = _content(Path(news["source"]), news["golden"])
        except (PointsmanError, OSError) as error:
            content = olds.get("content", "") if _same_name(olds, news) else ""
            if not content:
                return CheckResult(dict(news), [CheckFailure("source", str(error))])
        return CheckResult(dict(news) | {"content": content}, [])

    def diff(self, _id: str, olds: Any, news: Any) -> DiffResult:
        """Other content or another name has to be published; a new key is only noted."""
        replaces = [name for name in _IDENTITY if olds.get(name) != news.get(name)]
        changed = olds.get("environment") != news.get("environment")
        return DiffResult(changes=bool(replaces or changed), replaces=replaces)

    def create(self, props: Any) -> CreateResult:
        """Publish, or adopt the very same version; other content under the name is refused."""
        with told():
            published = _patiently(props)
        version = published.version
        name = f"{version.manifest.model}/{version.manifest.version}"
        return CreateResult(name, dict(props) | {"digest": version.digest})

    def update(self, _id: str, olds: Any, news: Any) -> UpdateResult:
        """Note the new key for the next look; the version itself never changes."""
        return UpdateResult(dict(news) | {"digest": olds["digest"]})

    def read(self, id_: str, props: Any) -> ReadResult:
        """Look whether the version is whole; if not, the next `up` publishes it again."""
        with told():
            registry = _registry(props)
            try:
                version = registry.version(props["model"], props["version"])
                whole = version.digest == props["digest"] and _whole(registry, version)
            except (NotFound, InvalidDocument):
                whole = False
        return ReadResult(id_, dict(props)) if whole else ReadResult("", {})

    def delete(self, _id: str, _props: Any) -> None:
        """Keep the version: it may be serving."""


class ModelVersion(Resource, module="pointsman", name="ModelVersion"):
    """One declared version."""

    digest: Output[str]

    def __init__(
        self,
        declared: DeclaredModel,
        *,
        store: str,
        environment: Input[dict[str, Any]],
        opts: ResourceOptions,
    ) -> None:
        props = {
            "store": store,
            "environment": environment,
            "model": declared.model,
            "version": declared.version,
            "source": str(Path(declared.path).absolute()),
            "golden": str(Path(declared.golden).absolute()) if declared.golden else "",
            "metrics": declared.metrics,
            "labels": declared.labels,
            "note": declared.note,
            "digest": None,
        }
        kept = ResourceOptions(retain_on_delete=True, additional_secret_outputs=["environment"])
        super().__init__(
            ModelVersionProvider(),
            f"{declared.model}-{declared.version}",
            props,
            ResourceOptions.merge(opts, kept),
        )


def _registry(props: Any) -> Registry:
    return Registry(administrator.open_with(props["store"], props["environment"]))


def _patiently(props: Any) -> Published:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return _registry(props).publish(
                props["model"],
                props["version"],
                props["source"],
                golden=props["golden"] or None,
                metrics=props["metrics"],
                labels=props["labels"],
                note=props["note"],
            )
        except (StoreDenied, StoreMisconfigured):
            if time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


def _content(source: Path, golden: str) -> str:
    """Return the identity of the files as they lie on disk, external data beside a file too."""
    files = gather(source, Path(golden) if golden else None)
    if source.is_file():
        from pointsman.validation import onnx_file

        described = onnx_file.describe(files.entrypoint)
        files = files.with_external(onnx_file.external_files(described, files.entrypoint))
    lines = [f"{path} {hashed(file).sha256}" for path, file in sorted(files.paths.items())]
    return identity("\n".join(lines).encode())


def _same_name(olds: Any, news: Any) -> bool:
    return all(olds.get(name) == news[name] for name in ("store", "model", "version"))


def _whole(registry: Registry, version: Version) -> bool:
    try:
        return all(
            registry.store.head(keys.blob(version.manifest.model, file.sha256)).size == file.size
            for file in version.manifest.files
        )
    except ObjectNotFound:
        return False
