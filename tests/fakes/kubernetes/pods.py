"""Pods of the fake cluster, with the statuses that a kubelet writes.

Sources: Kubernetes "Pod Lifecycle" (container states), "Images" (ImagePullBackOff).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.kubernetes.resources import Document


@dataclass(slots=True)
class Pod:
    """One pod; `answers` tells whether its process answers with readiness."""

    fate: str = "ready"
    words: str = ""
    name: str = ""
    owner: str = ""
    image: str = ""
    where: Callable[[], str] = lambda: ""
    labels: dict[str, str] = field(default_factory=dict)
    answers: Callable[[], bool] = lambda: False
    log: Callable[[], str] | None = None
    end: Callable[[], None] = lambda: None

    @property
    def ready(self) -> bool:
        """Whether it may get requests."""
        return self.fate == "ready" and self.answers()

    @property
    def said(self) -> str:
        """What its container wrote."""
        return self.log() if self.log else self.words + "\n"

    def document(self) -> Document:
        """Return it as the API shows it."""
        ready = self.ready
        status: Document = {
            "phase": "Pending" if self.fate == "pending" else "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        }
        if self.fate == "pending":
            message = "0/1 nodes are available: 1 Insufficient memory."
            status["conditions"].append(
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": message,
                }
            )
        else:
            status["containerStatuses"] = [
                {"name": "service", "image": self.image, "ready": ready, **self._container()}
            ]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": self.name,
                "namespace": "web",
                "uid": f"uid-{self.name}",
                "labels": self.labels,
                "ownerReferences": [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "ReplicaSet",
                        "name": self.owner,
                        "uid": f"uid-{self.owner}",
                        "controller": True,
                    }
                ],
            },
            "spec": {"containers": [{"name": "service", "image": self.image}]},
            "status": status,
        }

    def _container(self) -> Document:
        if self.fate == "image missing":
            message = f'Back-off pulling image "{self.image}": not found'
            waiting = {"reason": "ImagePullBackOff", "message": message}
            return {"restartCount": 0, "state": {"waiting": waiting}}
        if self.fate == "ready":
            return {"restartCount": 0, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
        ended = (
            {"exitCode": 137, "reason": "OOMKilled"}
            if self.fate == "out of memory"
            else {"exitCode": 2, "reason": "Error"}
        )
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed"}
        return {
            "restartCount": 1,
            "state": {"waiting": waiting},
            "lastState": {"terminated": ended},
        }
