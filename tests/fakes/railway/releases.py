"""What becomes of a deployment: it is pulled, started, asked for its health, and switched to.

It goes one status further every time it is looked at; nothing happens by itself.
"""

import itertools
from pathlib import Path
from typing import Any

from tests.fakes.railway.containers import Container
from tests.fakes.railway.faults import Faults
from tests.fakes.railway.world import Deployment, Image, Instance, World, identifier, moment

_USUAL = ["QUEUED", "BUILDING", "DEPLOYING"]
_REFUSED = "failed to pull image: "
_UNKNOWN = 'manifest for {image} not found: manifest unknown: manifest tagged by "v9" is not found'
MOST_HEALTH_SECONDS = 30.0


class Releases:
    """The deployments of all services."""

    def __init__(self, world: World, faults: Faults, folder: Path) -> None:
        self._world = world
        self._faults = faults
        self._folder = folder
        self._names = itertools.count(1)

    def begin(self, address: tuple[str, str], image: str, instance: Instance) -> Deployment:
        """Start a deployment with the settings and variables of now."""
        coming = self._faults.coming or [*_USUAL, "?"]
        self._faults.coming = None
        settings, variables = dict(instance.settings), dict(instance.variables)
        made = Deployment(address, image, settings, variables, list(coming))
        self._world.deployments.append(made)
        return made

    def look(self, deployment: Deployment) -> None:
        """Let it go on by one status."""
        if not deployment.coming:
            return
        following = deployment.coming.pop(0)
        if following == "?":
            following = self._run(deployment)
        deployment.status = following
        if following == "BUILDING":
            self._step(deployment, "BUILD_IMAGE")
        if following in {"SUCCESS", "SLEEPING"}:
            self._manifest(deployment)

    def serving(self, address: tuple[str, str]) -> Deployment | None:
        """Return the deployment that serves."""
        alive = [each for each in self._world.deployments if each.address == address]
        return next((each for each in reversed(alive) if each.status == "SUCCESS"), None)

    def close(self) -> None:
        """End everything that runs."""
        for each in self._world.deployments:
            if each.container:
                each.container.end()
        for instance in self._world.instances.values():
            if instance.edge:
                instance.edge.close()

    def _run(self, deployment: Deployment) -> str:
        """Pull, start and check it; return the status it ends with."""
        image = self._world.images.get(deployment.image)
        if image is None or image.refusal:
            refusal = image.refusal if image else _UNKNOWN.format(image=deployment.image)
            self._step(deployment, "CREATE_CONTAINER", error=_REFUSED + refusal)
            return "FAILED"
        self._step(deployment, "CREATE_CONTAINER")
        if image.last_words:
            deployment.words += image.last_words
            self._step(deployment, "HEALTHCHECK", attempt=11, maxAttempts=11, error=_UNHEALTHY)
            return "FAILED"
        return self._start(deployment, image)

    def _start(self, deployment: Deployment, image: Image) -> str:
        variables = deployment.variables | image.variables
        container = Container(self._folder, f"replica-{next(self._names)}", variables)
        deployment.container = container
        path = deployment.settings.get("healthcheckPath")
        seconds = min(MOST_HEALTH_SECONDS, deployment.settings.get("healthcheckTimeout") or 300)
        healthy, attempts = container.healthy(path, seconds) if path else (True, 0)
        if not healthy:
            self._step(
                deployment, "HEALTHCHECK", attempt=attempts, maxAttempts=attempts, error=_UNHEALTHY
            )
            container.end()
            return "FAILED"
        self._step(deployment, "HEALTHCHECK", attempt=attempts, maxAttempts=11)
        self._switch(deployment, container)
        return "SUCCESS"

    def _switch(self, deployment: Deployment, container: Container) -> None:
        edge = self._world.instances[deployment.address].edge
        before = self.serving(deployment.address)
        if edge:
            edge.upstream = container.url
        if before and before is not deployment:
            before.status = "REMOVED"
            if before.container:
                before.container.end()
        deployment.rollback_possible = True

    def _manifest(self, deployment: Deployment) -> None:
        """Fill what Railway tells of a release once it is over."""
        released = self._faults.released_image or deployment.image
        image = self._world.images.get(released)
        settings = deployment.settings if self._faults.manifest is None else self._faults.manifest
        deployment.meta = {
            "image": released,
            "imageDigest": image.digest if image else "",
            "serviceManifest": {"build": {}, "deploy": settings},
        }
        self._faults.released_image, self._faults.manifest = "", None

    def _step(self, deployment: Deployment, step: str, **payload: Any) -> None:
        completed = moment()
        deployment.events.append(
            {
                "id": identifier(),
                "step": step,
                "createdAt": completed,
                "completedAt": moment(),
                "payload": payload or None,
            }
        )


_UNHEALTHY = "1/1 replicas never became healthy"
