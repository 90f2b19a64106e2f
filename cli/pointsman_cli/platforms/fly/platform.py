"""Fly.io as a platform: check, plan, release, prove, look, go back, end."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pointsman import findings
from pointsman.findings import Finding, Severity
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, DeploymentFailed
from pointsman_cli.platforms import memory, variables
from pointsman_cli.platforms.base import Deployment, ImageFrom, Plan, Removal, Wanted, Way
from pointsman_cli.platforms.fly import (
    commands,
    configuration,
    flyctl,
    images,
    lint,
    planning,
    preflight,
    reply,
    sizes,
    status,
    watch,
)
from pointsman_cli.platforms.fly.configuration import FlyFile
from pointsman_cli.platforms.fly.delivery import Delivery
from pointsman_cli.platforms.fly.flyctl import Flyctl, FlyFailed
from pointsman_cli.platforms.fly.journal import Journal
from pointsman_cli.platforms.fly.preflight import Standing
from pointsman_cli.platforms.fly.release import Done, Release
from pointsman_cli.platforms.variables import Variables
from pointsman_cli.process import ProgramTookTooLong
from pointsman_cli.units import counted

NAME = "fly"
# The service's own: Settings.port, drain_grace + drain_timeout.
PORT, DRAIN_GRACE, DRAIN_TIMEOUT = 8000, 1.0, 20.0


class FlyPlatform:
    """One app on Fly.io, as fly.toml describes it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def image_from(self, wanted: Wanted) -> ImageFrom:  # noqa: ARG002
        """Name this machine's engine: flyctl pushes from it, to the app's own repository."""
        return ImageFrom.ENGINE

    def check(self, wanted: Wanted) -> Sequence[Finding]:
        """Return what is found in fly.toml, of flyctl, the token, the app and the credentials."""
        found = lint.findings(self._file, self._expected)
        try:
            stands = self._standing
            found += preflight.account(self._fly, self._app, stands)
        except CommandError as problem:
            stands = Standing(None)
            found.append(findings.error("flyctl", problem.message, problem.hint))
        found += [*self._image(wanted.image), *self._memory()]
        found += variables.check(self._context, self._variables, stands.secrets)
        found += preflight.left_over(self._plain, self._variables.secret, stands.secrets)
        return found

    def plan(self, wanted: Wanted) -> Plan:
        """Say what would be made, pushed, set and released."""
        stands = self._standing
        facts = planning.Facts(
            file=self._file,
            image=wanted.image,
            repository=self._delivery.repository,
            secrets=self._variables.secret.keys(),
            machines=len(watch.listed(self._fly, self._app)) if stands.app else 0,
            organization="" if stands.app else self._organization,
            memory=" ".join(each.message for each in self._memory()),
        )
        return planning.plan(facts)

    def deploy(self, wanted: Wanted) -> Deployment:
        """Push, set secrets, release, and examine every machine."""
        for found in self._image(wanted.image):
            if found.severity is Severity.ERROR:
                raise DeploymentFailed(found.message, f"{found.remediation} Nothing was released.")
        try:
            if self._standing.app is None:
                self._delivery.app(self._organization)
            pushed = self._delivery.image(wanted.image)
            self._context.stands(f"The image is at {pushed.reference}; nothing was released.")
            self._delivery.secrets(self._variables.secret)
            self._context.stands(
                "The image is pushed and secrets are staged for the next release; nothing was "
                "released."
            )
            before = self._release.before()
        except (FlyFailed, ProgramTookTooLong) as failure:
            hint = f"{failure.hint} Nothing was released."
            raise DeploymentFailed(failure.message, hint.strip()) from failure
        self._context.stands(
            f"flyctl was told to stop; `pointsman status -p fly` shows what {self._app} runs."
        )
        try:
            done = self._release.carry_out(pushed, self._plain, before, wanted.timeout)
        except DeploymentFailed as failure:
            if wanted.auto_rollback and before.image:
                raise self._gone_back(failure, before.image, wanted.timeout) from failure
            raise
        return self._deployment(done)

    @contextmanager
    def reached(self, deployment: Deployment) -> Iterator[Sequence[Way]]:
        """Yield the public way, and one to every machine that runs."""
        running = [each for each in deployment.machines if each.state.startswith("started")]
        yield [
            Way(deployment.url),
            *(
                Way(deployment.url, {"fly-force-instance-id": each.name}, each.name)
                for each in running
            ),
        ]

    def status(self) -> Deployment | None:
        """Return the app and its machines; None where there is no app."""
        app = preflight.app(self._fly, self._app)
        return status.deployment(app, watch.listed(self._fly, self._app)) if app else None

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Yield the last lines that Fly holds, or with `follow` those and what comes."""
        journal = Journal(self._fly, self._app)
        return journal.follow() if follow else iter(journal.last(lines) if lines else [])

    def removal(self) -> Removal | None:
        """Say what ending the app would lose."""
        stands = self._standing
        if stands.app is None:
            return None
        machines = watch.listed(self._fly, self._app)
        lost = [f"the address {stands.app.url}", "its releases and images"]
        if stands.secrets:
            lost.append(counted(len(stands.secrets), "secret"))
        if self._file.mounts:
            lost.append("its volumes")
        step = f"end {counted(len(machines), 'machine')} and the app {self._app} on Fly"
        return Removal(name=self._app, steps=[step], lost=lost)

    def destroy(self) -> bool:
        """End the app; False where there is none."""
        if self._standing.app is None:
            return False
        self._context.stands("Fly may have ended it all the same: `pointsman status -p fly` tells.")
        with self._context.output.waiting(f"ending {self._app}"):
            self._fly.tell(commands.destroy(self._app))
        return True

    def roll_back_image(self, to: str, timeout: float) -> Deployment:
        """Run an image that ran before, on every machine that has another."""
        image = self.earlier_image(to)
        self._context.stands(
            f"flyctl was told to stop; `pointsman status -p fly` shows what {self._app} runs."
        )
        done = self._release.restore(image, self._plain, timeout)
        if done is None:
            self._context.output.step(f"every machine has {image} already")
            now = self.status()
            if now is not None:
                return now
        return self._deployment(done or Done(image, 0, ()))

    def earlier_image(self, to: str) -> str:
        """Name the image of a release, the image that is named, or the one that served before."""
        found = self._fly.ask(commands.releases(self._app), reply.releases)
        if number := re.fullmatch(r"v?(\d+)", to):
            return self._numbered(found, int(number[1]))
        if to:
            return to
        earlier = reply.previous(found, found[0].image_ref if found else "")
        if earlier is None:
            raise CommandError(
                f"{self._app} never served another image",
                "Name one with --to: `fly releases --image` lists what was released.",
            )
        return earlier.image_ref

    def _numbered(self, found: Sequence[reply.Release], number: int) -> str:
        named = next((each for each in found if each.version == number and each.image_ref), None)
        if named is None:
            there = ", ".join(f"v{each.version}" for each in found if each.image_ref)
            raise CommandError(
                f"{self._app} has no release v{number} to go back to",
                f"There is: {there or 'none'}. --to takes an image too.",
            )
        return named.image_ref

    def _gone_back(self, failure: DeploymentFailed, image: str, timeout: float) -> DeploymentFailed:
        self._context.output.warn(f"{failure.message}; going back to {image}")
        try:
            self._release.restore(image, self._plain, timeout)
        except CommandError as second:
            return DeploymentFailed(
                f"{failure.message}; going back failed as well: {second.message}",
                second.hint,
                failure.document,
            )
        return DeploymentFailed(
            failure.message, f"{image} serves again on every machine.", failure.document
        )

    def _deployment(self, done: Done) -> Deployment:
        app = preflight.app(self._fly, self._app) or reply.App(name=self._app)
        return status.deployment(app, done.machines)

    def _memory(self) -> list[Finding]:
        try:
            size = planning.smallest(self._file)
        except sizes.SizeInvalid:
            return []  # the lint speaks of it
        return memory.check(self._context, size.memory_bytes)

    def _image(self, name: str) -> list[Finding]:
        return images.check(name, self._context.project.configuration.image.engine)

    @property
    def _app(self) -> str:
        return self._file.app

    @property
    def _delivery(self) -> Delivery:
        return Delivery(self._context, self._fly, self._file)

    @functools.cached_property
    def _file(self) -> FlyFile:
        return configuration.read(self._context.project.native(configuration.FILE_NAME))

    @functools.cached_property
    def _fly(self) -> Flyctl:
        return flyctl.found(self._app)

    @functools.cached_property
    def _standing(self) -> Standing:
        return preflight.standing(self._fly, self._app)

    @functools.cached_property
    def _organization(self) -> str:
        return preflight.organization(self._fly)

    @functools.cached_property
    def _variables(self) -> Variables:
        return variables.of_service(self._context, NAME)

    @property
    def _plain(self) -> Mapping[str, str]:
        return self._variables.plain

    @property
    def _release(self) -> Release:
        return Release(self._context, self._fly, self._file)

    @property
    def _expected(self) -> lint.Expected:
        own = self._file.variables
        goodbye = _number(own.get("POINTSMAN_DRAIN_GRACE"), DRAIN_GRACE)
        goodbye += _number(own.get("POINTSMAN_DRAIN_TIMEOUT"), DRAIN_TIMEOUT)
        return lint.Expected(PORT, goodbye)


def _number(text: str | None, otherwise: float) -> float:
    try:
        return float(text) if text else otherwise
    except ValueError:
        return otherwise
