"""Argument lists for `kubectl`: pure, so that they can be compared whole. None holds a secret.

Objects go in by standard input. Reference: kubectl's own command pages.
"""

from dataclasses import dataclass

from pointsman_cli.platforms.kubernetes.release import MANAGER, selector

PROGRAM = "kubectl"


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Commands for one deployment in one cluster and namespace."""

    name: str
    context: str = ""
    namespace: str = ""

    def versions(self) -> list[str]:
        """Ask which versions the program and the cluster are."""
        return self._list("version", "--output=json", "--request-timeout=10s")

    def may(self, verb: str, resource: str) -> list[str]:
        """Ask whether whoever asks may do something; answers yes or no."""
        return self._list("auth", "can-i", verb, resource)

    def apply(self) -> list[str]:
        """Apply the objects on standard input; fields that no Kubernetes knows are refused."""
        return self._list(
            "apply",
            "--server-side",
            "--force-conflicts",
            f"--field-manager={MANAGER}",
            "--validate=strict",
            "--filename=-",
        )

    def observe(self) -> list[str]:
        """Read the Deployment, its sets of pods, its pods, and how it is exposed."""
        return self._read("deployment,replicaset,pod,ingress")

    def secrets(self) -> list[str]:
        """Read the names of the Secrets, and nothing that is in them."""
        return self._list(
            "get", "secret", f"--selector={self._selector}", "--output=name", "--ignore-not-found"
        )

    def delete(self, *names: str) -> list[str]:
        """Delete single objects, each `kind/name`."""
        return self._list("delete", "--ignore-not-found", "--wait=false", *names)

    def destroy(self) -> list[str]:
        """Delete everything that was ever applied; the pods end in good order."""
        kinds = "deployment,service,horizontalpodautoscaler,poddisruptionbudget,ingress,secret"
        return self._list("delete", kinds, f"--selector={self._selector}", "--ignore-not-found")

    def undo(self, revision: int = 0) -> list[str]:
        """Go back to an earlier revision, or to the one before."""
        return self._list("rollout", "undo", f"deployment/{self.name}", f"--to-revision={revision}")

    def logs(self, *, follow: bool, lines: int) -> list[str]:
        """Print what all pods write."""
        return self._list(
            "logs",
            f"--selector={self._selector}",
            f"--tail={lines}",
            "--prefix",
            "--max-log-requests=50",
            *(["--follow"] if follow else []),
        )

    def last_words(self, pod: str, *, previous: bool) -> list[str]:
        """Print the end of what one pod wrote, or its container before it was restarted."""
        extra = ["--previous"] if previous else []
        return self._list("logs", pod, "--tail=20", *extra)

    def proxy(self) -> list[str]:
        """Open a way to the API server on a free port of this machine."""
        return self._list("proxy", "--port=0", "--address=127.0.0.1")

    @property
    def _selector(self) -> str:
        return ",".join(f"{name}={value}" for name, value in selector(self.name).items())

    def _read(self, kinds: str) -> list[str]:
        return self._list(
            "get", kinds, f"--selector={self._selector}", "--output=json", "--ignore-not-found"
        )

    def _list(self, *arguments: str) -> list[str]:
        where = [f"--context={self.context}"] if self.context else []
        where += [f"--namespace={self.namespace}"] if self.namespace else []
        return [PROGRAM, *where, *arguments]
