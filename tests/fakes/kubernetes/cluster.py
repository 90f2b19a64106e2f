"""What is in the fake cluster: objects as applied, and the controllers that make pods of them.

A pod that is fated to be ready is a real process of the service, started with nothing but what
the pod's own template and Secrets say.
"""

import base64
import copy
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from tests.fakes.kubernetes.pods import Pod
from tests.fakes.kubernetes.resources import Document

NAMESPACE = "web"
_REVISION = "deployment.kubernetes.io/revision"
Key = tuple[str, str]


class Fate(StrEnum):
    """What becomes of a pod of an image."""

    READY = "ready"
    CRASHING = "crashing"
    OUT_OF_MEMORY = "out of memory"
    IMAGE_MISSING = "image missing"
    PENDING = "pending"


@dataclass(slots=True)
class Cluster:
    """The state of one namespace."""

    start: Callable[[Document], Pod]
    """Starts a pod by its environment."""
    fates: dict[str, Fate] = field(default_factory=dict)
    last_words: str = "error: POINTSMAN_STORE is not set"
    objects: dict[Key, Document] = field(default_factory=dict)
    pods: dict[str, Pod] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, wanted: Document) -> Document:
        """Take an object as it is applied, and let the controllers act."""
        key = (wanted["kind"], wanted["metadata"]["name"])
        known = self.objects.get(key)
        stored = copy.deepcopy(wanted)
        metadata = stored["metadata"]
        metadata |= {"namespace": NAMESPACE, "uid": f"uid-{key[0]}-{key[1]}".lower()}
        before = known["metadata"].get("generation", 0) if known else 0
        changed = known is None or known.get("spec") != stored.get("spec")
        metadata["generation"] = before + changed
        if known is not None:
            annotations = known["metadata"].get("annotations", {}) | metadata.get("annotations", {})
            metadata["annotations"] = annotations
        self.objects[key] = stored
        if deployment := self._governed(stored):
            self._roll(deployment)
        return self.shown(stored)

    def remove(self, kind: str, name: str) -> Document | None:
        """Take an object away, and what belongs to it."""
        removed = self.objects.pop((kind, name), None)
        if removed is not None and kind == "Deployment":
            for each in self._replica_sets(name):
                self._end(each)
                del self.objects["ReplicaSet", each["metadata"]["name"]]
        return removed

    def listed(self, kind: str) -> list[Document]:
        """Return all objects of a kind with their present status."""
        if kind == "Pod":
            return [pod.document() for pod in self.pods.values()]
        return [self.shown(each) for (known, _), each in self.objects.items() if known == kind]

    def found(self, kind: str, name: str) -> Document | None:
        """Return one object with its present status."""
        return next((x for x in self.listed(kind) if x["metadata"]["name"] == name), None)

    def shown(self, stored: Document) -> Document:
        """Return an object with its status; a Deployment's new pods that are ready replace old."""
        if stored["kind"] == "ReplicaSet":
            return stored | {"spec": stored["spec"] | {"replicas": len(self._pods(stored))}}
        if stored["kind"] != "Deployment":
            return stored
        sets = self._replica_sets(stored["metadata"]["name"])
        current, old = sets[-1], sets[:-1]
        available = sum(pod.ready for pod in self._pods(current))
        if available == self._replicas(stored):
            for each in old:
                self._end(each)
        updated = self._pods(current)
        everything = [pod for each in sets for pod in self._pods(each)]
        status = {
            "observedGeneration": stored["metadata"]["generation"],
            "replicas": len(everything),
            "updatedReplicas": len(updated),
            "availableReplicas": sum(pod.ready for pod in everything),
            "readyReplicas": sum(pod.ready for pod in everything),
        }
        # The autoscaler writes the number into the Deployment, as the real one does.
        spec = stored["spec"] | {"replicas": self._replicas(stored)}
        return stored | {"spec": spec, "status": status}

    def _governed(self, stored: Document) -> Document | None:
        """Return the Deployment that an object changes."""
        name = stored["metadata"]["name"]
        if stored["kind"] == "HorizontalPodAutoscaler":
            name = stored["spec"]["scaleTargetRef"]["name"]
        elif stored["kind"] != "Deployment":
            return None
        return self.objects.get(("Deployment", name))

    def _replicas(self, deployment: Document) -> int:
        name = deployment["metadata"]["name"]
        scaler = self.objects.get(("HorizontalPodAutoscaler", name))
        least: int = scaler["spec"]["minReplicas"] if scaler else 0
        given: int = deployment["spec"].get("replicas", 1)
        return max(least, given)

    def _roll(self, deployment: Document) -> None:
        name, template = deployment["metadata"]["name"], deployment["spec"]["template"]
        sets = self._replica_sets(name)
        current = next((each for each in sets if each["spec"]["template"] == template), None)
        if current is None or current is not sets[-1]:
            revision = max((_revision(each) for each in sets), default=0) + 1
            if current is None:
                current = self._replica_set(deployment)
                self.objects["ReplicaSet", current["metadata"]["name"]] = current
            for each in (current, deployment):
                each["metadata"].setdefault("annotations", {})[_REVISION] = str(revision)
        else:
            deployment["metadata"].setdefault("annotations", {})[_REVISION] = str(
                _revision(current)
            )
        while len(self._pods(current)) < self._replicas(deployment):
            self._launch(current)

    def _replica_set(self, deployment: Document) -> Document:
        name = f"{deployment['metadata']['name']}-{next(self._numbers):05x}"
        return {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "uid": f"uid-{name}",
                "labels": deployment["spec"]["template"]["metadata"]["labels"],
                "ownerReferences": [_owner(deployment)],
            },
            "spec": {
                "replicas": 0,
                "selector": deployment["spec"]["selector"],
                "template": copy.deepcopy(deployment["spec"]["template"]),
            },
        }

    def _replica_sets(self, deployment: str) -> list[Document]:
        """Return a Deployment's sets of pods, oldest revision first."""
        found = [
            each
            for (kind, _), each in self.objects.items()
            if kind == "ReplicaSet" and each["metadata"]["ownerReferences"][0]["name"] == deployment
        ]
        return sorted(found, key=_revision)

    def _pods(self, replica_set: Document) -> list[Pod]:
        name = replica_set["metadata"]["name"]
        return [pod for pod in self.pods.values() if pod.owner == name]

    def _launch(self, replica_set: Document) -> None:
        spec = replica_set["spec"]["template"]["spec"]
        image = spec["containers"][0]["image"]
        fate = self.fates.get(image, Fate.READY)
        if fate is Fate.READY:
            pod = self.start(self._environment(spec["containers"][0]))
        else:
            pod = Pod(fate=fate, words=self.last_words)
        pod.name = f"{replica_set['metadata']['name']}-{next(self._numbers):05x}"
        pod.owner = replica_set["metadata"]["name"]
        pod.labels = replica_set["spec"]["template"]["metadata"]["labels"]
        pod.image = image
        self.pods[pod.name] = pod

    def _environment(self, container: Document) -> Document:
        """Return what a container finds; a Secret that is missing is a KeyError, as it should."""
        given = {each["name"]: each["value"] for each in container["env"]}
        for source in container.get("envFrom", []):
            secret = self.objects["Secret", source["secretRef"]["name"]]
            for name, value in secret["data"].items():
                given[name] = base64.b64decode(value).decode()
        return given

    def _end(self, replica_set: Document) -> None:
        for pod in self._pods(replica_set):
            pod.end()
            del self.pods[pod.name]


def _revision(document: Document) -> int:
    return int(document["metadata"].get("annotations", {}).get(_REVISION, 0))


def _owner(document: Document) -> Document:
    metadata = document["metadata"]
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
