"""Kubernetes as a platform: objects are rendered, applied by `kubectl`, and the rollout watched."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pointsman.findings import Finding
from pointsman_cli import process
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, DeploymentFailed
from pointsman_cli.platforms import memory, variables
from pointsman_cli.platforms.base import Deployment, ImageFrom, Machine, Plan, Removal, Wanted, Way
from pointsman_cli.platforms.kubernetes import checks, cluster, manifests, progress, proxy
from pointsman_cli.platforms.kubernetes.kubectl import Kubectl
from pointsman_cli.platforms.kubernetes.observation import Observation
from pointsman_cli.platforms.kubernetes.quantity import bytes_of
from pointsman_cli.platforms.kubernetes.release import Release, object_name

PLATFORM = "kubernetes"
_DRAIN_SECONDS = 21.0  # drain_grace and drain_timeout of the service, by default


class KubernetesPlatform:
    """One Deployment per model and channel, in one namespace of one cluster."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._settings = context.project.configuration.kubernetes
        self._name = object_name(self._settings.name, context.model, context.channel)
        self._kubectl = Kubectl(self._name, self._settings.context, self._settings.namespace)

    def image_from(self, wanted: Wanted) -> ImageFrom:  # noqa: ARG002
        """Nodes pull from a registry."""
        return ImageFrom.REGISTRY

    def check(self, wanted: Wanted) -> list[Finding]:
        """Find out whether the cluster takes what would be applied."""
        told = variables.of_service(self._context, PLATFORM)
        return [
            *checks.settings(self._settings),
            *variables.check(self._context, told),
            *checks.cluster(self._kubectl),
            *checks.image(wanted.image),
            *self._memory(),
        ]

    def plan(self, wanted: Wanted) -> Plan:
        """Say what would be applied, as YAML without what is secret."""
        image = wanted.image
        release = self._release(image)
        seen = cluster.observed(self._kubectl.observe())
        verb = f"replace {seen.image} in" if seen else "create"
        rendered = manifests.objects(release)
        kinds = ", ".join(each["kind"] for each in rendered)
        return Plan(
            steps=[f"{verb} the deployment {self._name}", f"apply {kinds}"],
            image=image,
            memory=" ".join(each.message for each in self._memory()),
            manifest=manifests.text(manifests.public(rendered)),
        )

    def deploy(self, wanted: Wanted) -> Deployment:
        """Apply the objects, and follow the rollout; a release that fails leaves the old pods."""
        context = self._context
        image = wanted.image
        before = cluster.observed(self._kubectl.observe())
        release = self._release(image)
        cluster.ask(self._kubectl.apply(), manifests.text(manifests.objects(release)))
        context.stands(
            f"{image} is applied, and Kubernetes goes on: `pointsman status --platform "
            "kubernetes` shows how far.",
            image=image,
        )
        try:
            seen = progress.follow(context, self._kubectl, wanted.timeout)
        except DeploymentFailed as failure:
            if not (wanted.auto_rollback and before):
                raise
            self._return_after(failure, before, wanted.timeout)
            raise
        self._tidy(release)
        return self._deployment(seen)

    @contextmanager
    def reached(self, deployment: Deployment) -> Iterator[Sequence[Way]]:
        """Yield the public address, or a way through the API server where there is none."""
        seen = self._require()
        if seen.host:
            yield [Way(deployment.url)]
            return
        with proxy.through(self._kubectl, seen.namespace) as way:
            yield [way]

    def status(self) -> Deployment | None:
        """Return what is deployed."""
        seen = cluster.observed(self._kubectl.observe())
        return self._deployment(seen) if seen else None

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield what all pods write, each line with its pod's name."""
        self._require()
        with process.stream(self._kubectl.logs(follow=follow, lines=lines)) as running:
            for line in running.lines:
                if not line.error:
                    yield line.text
        if running.code:
            raise cluster.refusal(running.said(errors_only=True))

    def removal(self) -> Removal | None:
        """Say what goes when the service does."""
        seen = cluster.observed(self._kubectl.observe())
        if seen is None:
            return None
        lost = [f"the address {seen.host}"] if seen.host else []
        return Removal(
            name=self._name,
            steps=[f"delete everything of the deployment {self._name} in {seen.namespace}"],
            lost=[*lost, "its revisions, to which `rollback --image` could go"],
        )

    def destroy(self) -> bool:
        """Delete all objects, and return when the pods have ended in good order."""
        if cluster.observed(self._kubectl.observe()) is None:
            return False
        self._context.stands("Kubernetes goes on deleting: `pointsman destroy` asks again.")
        cluster.wait_for(self._kubectl.destroy())
        return True

    def roll_back_image(self, to: str, timeout: float) -> Deployment:
        """Go back to the revision that ran `to`, or to the one before."""
        cluster.ask(self._kubectl.undo(self._revision_of(self._require(), to)))
        self._context.stands("Kubernetes goes back all the same: `pointsman status` shows it.")
        return self._deployment(progress.follow(self._context, self._kubectl, timeout))

    def earlier_image(self, to: str) -> str:
        """Name the image of the revision before, or of the last one that ran `to`."""
        seen = self._require()
        return seen.images[self._revision_of(seen, to)]

    def _memory(self) -> list[Finding]:
        return memory.check(self._context, bytes_of(self._settings.memory))

    def _revision_of(self, seen: Observation, to: str) -> int:
        if revision := seen.way_back(to):
            return revision
        earlier = {ran for number, ran in seen.images.items() if number < seen.revision}
        raise CommandError(
            f"{to or 'an earlier image'} is not among the revisions of {self._name}",
            f"Kubernetes remembers: {', '.join(sorted(earlier)) or 'none'}.",
        )

    def _return_after(self, failure: DeploymentFailed, before: Observation, timeout: float) -> None:
        revision = max(before.serving, default=before.revision)
        image = before.images[revision]
        self._context.output.warn(f"{failure.message}; going back to {image}")
        try:
            cluster.ask(self._kubectl.undo(revision))
            progress.follow(self._context, self._kubectl, timeout)
        except CommandError as error:
            failure.hint = f"It was not taken back: {error.message}. {failure.hint}"
        else:
            failure.hint = f"{image} serves as before."

    def _tidy(self, release: Release) -> None:
        """Delete what the release no longer has; a Secret stays as long as a revision names it."""
        superfluous = manifests.superfluous(release)
        if superfluous:
            cluster.ask(self._kubectl.delete(*superfluous))
        seen = self._require()
        names = cluster.ask(self._kubectl.secrets()).split()
        unused = [name for name in names if name.rpartition("/")[2] not in seen.secrets]
        if unused:
            cluster.ask(self._kubectl.delete(*unused))

    def _require(self) -> Observation:
        seen = cluster.observed(self._kubectl.observe())
        if seen is None:
            raise CommandError(
                f"there is no deployment {self._name} in the cluster",
                "`pointsman deploy --platform kubernetes` makes it.",
            )
        return seen

    def _release(self, image: str) -> Release:
        told = variables.of_service(self._context, PLATFORM)
        return Release(
            name=self._name,
            model=self._context.model,
            channel=self._context.channel,
            image=image,
            settings=self._settings,
            environment={**told.plain, **self._settings.variables},
            secrets=told.secret,
            drain_seconds=_DRAIN_SECONDS,
        )

    def _deployment(self, seen: Observation) -> Deployment:
        internal = f"http://{self._name}.{seen.namespace}.svc"
        return Deployment(
            platform=PLATFORM,
            name=self._name,
            url=seen.host or internal,
            image=seen.image,
            release=str(seen.revision),
            machines=[
                Machine(
                    name=pod.name,
                    state=pod.state,
                    image=pod.image,
                    note=pod.trouble.reason if pod.trouble else "",
                )
                for pod in seen.pods
            ],
            note=f"{seen.older} older pods are still there" if seen.older else "",
        )
