"""One release: from a pushed image to machines that are proven to run it, or back.

What fails is told in one sentence: how a machine ended, what its check said, what flyctl said.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, DeploymentFailed
from pointsman_cli.platforms.fly import commands, complaints, machines, reply, watch
from pointsman_cli.platforms.fly.configuration import FlyFile
from pointsman_cli.platforms.fly.delivery import Pushed
from pointsman_cli.platforms.fly.examination import Examination, Released, has_image
from pointsman_cli.platforms.fly.flyctl import Flyctl, FlyFailed
from pointsman_cli.platforms.fly.journal import Journal
from pointsman_cli.platforms.fly.machines import FlyMachine
from pointsman_cli.platforms.fly.progress import Progress
from pointsman_cli.platforms.fly.watch import Before, Watched

_MANIFEST_ATTEMPTS = 5
_MANIFEST_SECONDS = 15.0
_LAST_LINES = 20
_LAST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Done:
    """A release whose machines are proven to be what they should."""

    image: str
    release: int
    machines: Sequence[FlyMachine]


@dataclass(frozen=True, slots=True)
class Release:
    """Releases images of one app."""

    context: Context
    fly: Flyctl
    file: FlyFile

    @property
    def app(self) -> str:
        """The app's name."""
        return self.file.app

    def before(self) -> Before:
        """Ask how the app stands."""
        found = self.fly.ask(commands.releases(self.app), reply.releases)
        served = next((each for each in found if each.served), None)
        newest = max((each.version for each in found), default=0)
        image = served.image_ref if served else ""
        return Before(watch.listed(self.fly, self.app), newest, image)

    def carry_out(
        self, image: Pushed, variables: Mapping[str, str], before: Before, timeout: float
    ) -> Done:
        """Release an image on every machine; raises `DeploymentFailed` or `Unverified`."""
        arguments = commands.release(self.app, self.file.path, image.reference, variables)
        return self._run(arguments, Released(image.reference, image.digest), before, timeout)

    def restore(self, image: str, variables: Mapping[str, str], timeout: float) -> Done | None:
        """Run an image that ran before on every machine; None where every machine has it already.

        Machines that have it go on serving and are left alone. Raises `DeploymentFailed` or
        `Unverified`.
        """
        present = machines.serving(watch.listed(self.fly, self.app))
        changed = [each.id for each in present if not has_image(each, image)]
        if present and not changed:
            return None
        if not changed or len(changed) == len(present):
            arguments = commands.release(self.app, self.file.path, image, variables)
        else:
            arguments = commands.restore(self.app, self.file.path, image, variables, changed)
        before = Before(tuple(present), self._newest(), image)
        return self._run(arguments, Released(image), before, timeout)

    def _run(
        self, arguments: commands.Arguments, released: Released, before: Before, timeout: float
    ) -> Done:
        with self.context.output.waiting(f"releasing {released.image}") as update:
            progress = Progress(self.context.output, update)
            progress.begun(before.machines)
            watched = self._watched(arguments, before, progress)
            if watched.code != 0 or watched.crashed:
                raise self._failure(arguments, watched, before)
            version = watched.emitted.version if watched.emitted else self._newest()
            self.context.stands(f"Release {version} is in place; it is yet to be examined.")
            examination = Examination(
                lambda: watch.listed(self.fly, self.app), self._wake, progress, self.file.region
            )
            # Where some machines were left alone, theirs is another release of the same image.
            everywhere = "--only-machines" not in arguments
            expected = Released(released.image, released.digest, version if everywhere else 0)
            found = examination.carry_out(expected, timeout)
        return Done(released.image, version, found)

    def _watched(
        self, arguments: commands.Arguments, before: Before, progress: Progress
    ) -> Watched:
        """Watch a release; one whose image the registry does not know yet is tried again."""
        for attempt in range(_MANIFEST_ATTEMPTS):
            watched = watch.watch(self.fly, self.app, arguments, before, progress)
            last = attempt == _MANIFEST_ATTEMPTS - 1
            if watched.code == 0 or last or not complaints.says_not_yet(watched.said):
                break
            progress.line("the registry does not know the image yet; trying again")
            time.sleep(_MANIFEST_SECONDS)
        return watched

    def _wake(self, machine: FlyMachine) -> None:
        self.context.output.step(f"every machine sleeps: waking {machine.id}")
        self.fly.tell(commands.start(self.app, machine.id))

    def _newest(self) -> int:
        found = self.fly.ask(commands.releases(self.app), reply.releases)
        return max((each.version for each in found), default=0)

    def _failure(
        self, arguments: commands.Arguments, watched: Watched, before: Before
    ) -> DeploymentFailed:
        """Return why a release failed, with the last log lines of whoever did."""
        culprit, cause = self._cause(arguments, watched, before)
        lines = self._last_lines(culprit)
        for line in lines:
            self.context.output.step(line)
        document = {"log": lines, "machine": culprit} if culprit else {}
        return DeploymentFailed(
            cause + last_words(lines), standing(watched.machines, before), document
        )

    def _cause(
        self, arguments: commands.Arguments, watched: Watched, before: Before
    ) -> tuple[str, str]:
        if watched.crashed:
            machine, ended = watched.crashed
            return machine.id, f"machine {machine.id} {machines.described(ended)}"
        said = self.fly.failed(arguments, watched.said)
        for each in watched.machines:
            check = each.failing
            if each.release > before.release and check is not None:
                output = " ".join((check.output or "").split())[:200]
                return each.id, f"machine {each.id} did not get healthy: {output or check.status}"
        return "", said.message

    def _last_lines(self, machine: str) -> list[str]:
        if not machine:
            return []
        with suppress(FlyFailed, CommandError):
            return Journal(self.fly, self.app).last(_LAST_LINES, machine, _LAST_SECONDS)
        return []


def last_words(lines: Iterable[str]) -> str:
    """Return what the program said last of an error, as the end of a sentence."""
    found = [line.partition("error: ")[2] for line in lines if "error: " in line]
    return f": {found[-1].strip()}" if found else ""


def standing(present: Iterable[FlyMachine], before: Before) -> str:
    """Say what serves now, and what to type."""
    old = [each for each in machines.serving(tuple(present)) if each.release <= before.release]
    running = [each for each in old if each.runs or each.sleeps]
    back = "`pointsman rollback --image -p fly` goes back to it"
    if not before.machines:
        return "Nothing was deployed before; `pointsman logs -p fly` says more."
    if len(running) == len(machines.serving(before.machines)):
        return f"Release {before.release} goes on serving on all its machines."
    if running:
        return (
            f"Release {before.release} goes on serving on {len(running)} of "
            f"{len(before.machines)} machines; {back} on the others."
        )
    return f"No machine of release {before.release} is left; {back}."
