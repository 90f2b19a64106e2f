"""What a rollout looks like in a cluster, read from the objects that `kubectl get` shows: pure.

Sources: Kubernetes "Deployments" (status, revisions), "Pod Lifecycle" (container states).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_REVISION = "deployment.kubernetes.io/revision"
Document = Mapping[str, Any]

# States of a container that time does not cure.
_HOPELESS = {
    "ImagePullBackOff": "its image cannot be pulled",
    "InvalidImageName": "its image's name is none",
    "ErrImageNeverPull": "its image is not on the node",
    "CreateContainerConfigError": "its container cannot be configured",
    "CreateContainerError": "its container cannot be made",
    "RunContainerError": "its container cannot be run",
}
_OUT_OF_MEMORY = "OOMKilled"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a pod will not become ready; `ended` says that its container ran and wrote a log."""

    pod: str
    reason: str
    ended: bool = False


@dataclass(frozen=True, slots=True)
class PodState:
    """One pod of the newest revision."""

    name: str
    state: str
    ready: bool
    image: str
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """Where a Deployment stands."""

    image: str
    revision: int
    wanted: int
    pods: tuple[PodState, ...]
    older: int
    """How many pods of earlier revisions are still there."""
    settled: bool
    """Whether all wanted pods are of the newest revision and ready, and no older one is left."""
    namespace: str = ""
    host: str = ""
    """The public address, where there is an Ingress."""
    images: Mapping[int, str] = field(default_factory=dict)
    """The image of every revision that is remembered."""
    serving: Collection[int] = ()
    """The revisions that have a ready pod."""
    secrets: Collection[str] = ()
    """The Secrets that any of these revisions names."""

    @property
    def troubles(self) -> list[Trouble]:
        """What stands in the way for good."""
        return [pod.trouble for pod in self.pods if pod.trouble is not None]

    def way_back(self, to: str = "") -> int:
        """Return the revision before the newest to go back to, of image `to` if named; 0 for none.

        One that serves is taken before one that was made later and never got so far.
        """
        earlier = [
            number
            for number, ran in self.images.items()
            if number < self.revision and to in {"", ran}
        ]
        return max([each for each in earlier if each in self.serving] or earlier, default=0)

    @property
    def ready(self) -> int:
        """How many pods of the newest revision are ready."""
        return sum(pod.ready for pod in self.pods)


def observe(items: Iterable[Document]) -> Observation | None:
    """Read the objects; None when there is no Deployment among them."""
    kinds: dict[str, list[Document]] = {}
    for item in items:
        kinds.setdefault(item["kind"], []).append(item)
    if not kinds.get("Deployment"):
        return None
    deployment = kinds["Deployment"][0]
    revision = _revision(deployment)
    sets = kinds.get("ReplicaSet", [])
    newest = {each["metadata"]["name"] for each in sets if _revision(each) == revision}
    pods = [each for each in kinds.get("Pod", []) if _owner(each) in newest]
    ready = {_owner(each) for each in kinds.get("Pod", []) if _pod(each).ready}
    return Observation(
        image=_image(deployment["spec"]["template"]),
        revision=revision,
        wanted=deployment["spec"].get("replicas", 1),
        pods=tuple(sorted(map(_pod, pods), key=lambda pod: pod.name)),
        older=len(kinds.get("Pod", [])) - len(pods),
        settled=_settled(deployment),
        namespace=deployment["metadata"].get("namespace", ""),
        host=_host(kinds.get("Ingress", [])),
        images={_revision(each): _image(each["spec"]["template"]) for each in sets},
        serving={_revision(each) for each in sets if each["metadata"]["name"] in ready},
        secrets={name for each in sets for name in _secrets(each["spec"]["template"])},
    )


def _settled(deployment: Document) -> bool:
    """Judge as `kubectl rollout status` does."""
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    return bool(
        status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
        and updated >= wanted
        and status.get("replicas", 0) <= updated
        and status.get("availableReplicas", 0) >= updated
    )


def _pod(pod: Document) -> PodState:
    name = pod["metadata"]["name"]
    statuses = pod.get("status", {}).get("containerStatuses", [])
    container = statuses[0] if statuses else {}
    ready = bool(container.get("ready"))
    trouble = None if ready else _trouble(name, container)
    return PodState(name, _state(pod, container), ready, _image(pod), trouble)


def _trouble(pod: str, container: Document) -> Trouble | None:
    """Tell whether a container failed in a way that waiting does not mend."""
    waiting = container.get("state", {}).get("waiting", {})
    if (hopeless := _HOPELESS.get(waiting.get("reason", ""))) is not None:
        return Trouble(pod, f"{hopeless}: {waiting.get('message') or waiting['reason']}")
    ended = _ended(container)
    if ended is None:
        return None
    if ended.get("reason") == _OUT_OF_MEMORY:
        return Trouble(pod, "it needs more memory than it may have (OOMKilled)", ended=True)
    return Trouble(pod, f"it ended with exit code {ended.get('exitCode')}", ended=True)


def _ended(container: Document) -> Document | None:
    for member in ("state", "lastState"):
        terminated: Document | None = container.get(member, {}).get("terminated")
        if terminated is not None:
            return terminated
    return None


def _state(pod: Document, container: Document) -> str:
    if container.get("ready"):
        return "ready"
    for condition in pod.get("status", {}).get("conditions", []):
        if (condition["type"], condition["status"]) == ("PodScheduled", "False"):
            why = str(condition.get("message", condition.get("reason", "")))
            return f"cannot be scheduled: {why.rstrip('.')}"
    state = container.get("state", {})
    if "waiting" in state:
        return str(state["waiting"].get("reason") or "waiting")
    return "starting" if "running" in state else "pending"


def _host(ingresses: list[Document]) -> str:
    if not ingresses:
        return ""
    spec = ingresses[0]["spec"]
    scheme = "https" if spec.get("tls") else "http"
    return f"{scheme}://{spec['rules'][0]['host']}"


def _secrets(template: Document) -> list[str]:
    sources = template["spec"]["containers"][0].get("envFrom", [])
    return [source["secretRef"]["name"] for source in sources if "secretRef" in source]


def _image(template: Document) -> str:
    return str(template["spec"]["containers"][0]["image"])


def _revision(document: Document) -> int:
    return int(document["metadata"].get("annotations", {}).get(_REVISION, 0))


def _owner(pod: Document) -> str:
    owners = pod["metadata"].get("ownerReferences", [])
    return str(owners[0]["name"]) if owners else ""
