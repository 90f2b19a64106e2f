"""Making a release: what is deployed, that it was this, and how to get back.

What is deployed is either an image that exists, or the source, which Railway builds. In both
cases the deployment is followed by the id that its start gave.
"""

from collections.abc import Callable

from pointsman_cli.errors import CommandError, DeploymentFailed, Unverified
from pointsman_cli.platforms.railway import images
from pointsman_cli.platforms.railway.api import deployments, upload
from pointsman_cli.platforms.railway.api.deployments import Release
from pointsman_cli.platforms.railway.api.errors import OutcomeUnknown
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.archive import packed
from pointsman_cli.platforms.railway.failures import failure, serving
from pointsman_cli.platforms.railway.outcomes import Outcome, outcome
from pointsman_cli.platforms.railway.session import Session
from pointsman_cli.platforms.railway.settings import differences
from pointsman_cli.platforms.railway.watching import BUILD_SECONDS, Watch
from pointsman_cli.units import counted, size

_MARGIN_SECONDS = 60.0


class Releasing:
    """Releases of one service."""

    def __init__(self, session: Session, address: Address) -> None:
        self._session = session
        self._client = session.client
        self._address = address
        self._output = session.context.output

    def run_image(self) -> str:
        """Deploy the image that the settings name; return the deployment's id."""
        return self._started(lambda: deployments.start(self._client, self._address))

    def build_source(self) -> str:
        """Upload the source to be built and deployed; return the deployment's id."""
        selection = self._session.selection
        with packed(selection.files) as archive, self._output.transfer() as transfer:
            length = archive.stat().st_size
            files = counted(len(selection.files), "file")
            transfer.step(f"uploading {files}, {size(length)} packed")
            transfer.expect("source", length)
            self._session.context.stands(
                "Nothing was released, unless Railway had the whole upload already: `pointsman "
                "status --platform railway` shows it."
            )
            return self._started(
                lambda: upload.send(
                    self._client,
                    self._address,
                    archive,
                    f"pointsman deploy {self._session.context.model}",
                    lambda count: transfer.advance("source", count),
                )
            )

    def already(self, image: str) -> Release | None:
        """Return the release that serves, if it runs this very image: told only by a digest."""
        digest = image.partition("@")[2]
        current = serving(self._client, self._address) if digest else None
        return current if current and current.digest == digest else None

    def followed(self, deployment: str, image: str) -> Release:
        """Return the release once it serves; raises `DeploymentFailed` or `Unverified`."""
        context = self._session.context
        context.stands(
            f"Deployment {deployment} goes on at Railway: `pointsman status --platform railway` "
            "shows how it ends.",
            release=deployment,
        )
        seconds = BUILD_SECONDS + self._session.settings.health_seconds + _MARGIN_SECONDS
        status = Watch(self._client, self._output, deployment).until_over(seconds)
        if outcome(status) is not Outcome.SERVES:
            failed = failure(self._client, self._address, deployment, status, image)
            for line in failed.document["log"]:
                self._output.step(f"  | {line}")
            raise failed
        return self._confirmed(deployments.read(self._client, deployment), image)

    def back_to(self, to: str) -> Release:
        """Run what ran before: `to` (an image or a deployment's id), or with "" the previous one.

        Raises `CommandError` when there is nothing to go back to.
        """
        known, target = self._before(to)
        started = self._started(lambda: self._roll_back(target, known))
        return self.followed(started, target.image)

    def earlier(self, to: str) -> Release:
        """Return the release that `back_to` would run; raises as it does."""
        return self._before(to)[1]

    def gone_back(self, failed: DeploymentFailed) -> DeploymentFailed:
        """Go back if nothing that was asked for serves; return the failure with what does now."""
        release = str(failed.document.get("release", ""))
        if serving(self._client, self._address, release):
            return failed
        self._output.warn(f"{failed.message}; going back to the previous release")
        before = self.back_to("")
        serves = f"{before.image or 'The previous release'} serves, by deployment {before.id}."
        # What was said of how things stood is no longer so; the advice still is.
        advice = failed.hint.removeprefix(str(failed.document.get("serves", failed.hint)))
        document = failed.document | {"serves": serves}
        return DeploymentFailed(failed.message, f"{serves} {advice.strip()}".strip(), document)

    def _before(self, to: str) -> tuple[list[Release], Release]:
        """Return what there is, and what to go back to."""
        known = deployments.latest(self._client, self._address)
        return known, _target(known, to, serving(self._client, self._address))

    def _roll_back(self, target: Release, known: list[Release]) -> str:
        """Ask for it; Railway does not say which deployment that made, so it is looked for."""
        deployments.roll_back(self._client, target.id)
        return self._new_since({each.id for each in known}) or self._lost()

    def _lost(self) -> str:
        raise Unverified(
            "Railway goes back, and does not show by which deployment",
            "`pointsman status --platform railway` shows it in a moment.",
        )

    def _started(self, start: Callable[[], str]) -> str:
        """Start a deployment; without an answer, find the one that was started all the same."""
        known = {each.id for each in deployments.latest(self._client, self._address)}
        try:
            return start()
        except OutcomeUnknown:
            if found := self._new_since(known):
                return found
            raise

    def _new_since(self, known: set[str]) -> str:
        for each in deployments.latest(self._client, self._address):
            if each.id not in known:
                return each.id
        return ""

    def _confirmed(self, release: Release, image: str) -> Release:
        """Return it if it is what was asked for, with the health check that was asked for."""
        if image and not images.is_same(image, release.image, release.digest):
            raise DeploymentFailed(
                f"Railway released {release.image or release.digest} instead of {image}",
                "It serves now. Deploy again; if that does not help, take the image's digest.",
                {"release": release.id},
            )
        wanted = self._session.settings.input(image)
        wrong = differences(wanted, release.settings or {})
        if wrong:
            raise Unverified(
                f"Railway released it with other settings: {'; '.join(wrong)}",
                "It serves, but nothing made sure of that before it did. Deploy again.",
                {"release": release.id},
            )
        return release


def _target(known: list[Release], to: str, current: Release | None) -> Release:
    """Choose among the deployments that Railway can still go back to, newest first."""
    possible = [each for each in known if each.can_rollback and _ran(each) and each != current]
    if to:
        possible = [each for each in possible if to in {each.id, each.image, each.digest}]
    elif current is not None:
        possible = [each for each in possible if each.created_at < current.created_at]
    if possible:
        return possible[0]
    what = f"to {to}" if to else "to"
    there = ", ".join(dict.fromkeys(each.image or each.id for each in known if each.can_rollback))
    raise CommandError(
        f"there is no release to go back {what}",
        f"Railway keeps images for 1 to 15 days, by plan. There is: {there or 'none'}.",
    )


def _ran(release: Release) -> bool:
    """Tell whether it ever served: those that failed did not."""
    return outcome(release.status) in {Outcome.SERVES, Outcome.SUPERSEDED}
