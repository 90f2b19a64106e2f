"""A platform that does what the test says, and remembers what it was asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pointsman.findings import Finding
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError
from pointsman_cli.platforms.base import Deployment, ImageFrom, Plan, Removal, Wanted, Way


@dataclass(slots=True)
class Script:
    """What happens."""

    url: str = ""
    image_from: ImageFrom = ImageFrom.NOWHERE
    findings: Sequence[Finding] = ()
    failure: CommandError | None = None
    no_way_back: bool = False
    lost: Sequence[str] = ()
    asked: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)


class ScriptedPlatform:
    """A platform at one URL."""

    script = Script()

    def __init__(self, context: Context) -> None:
        self._context = context

    def image_from(self, wanted: Wanted) -> ImageFrom:
        """As the script says."""
        return self.script.image_from

    def check(self, wanted: Wanted) -> Sequence[Finding]:
        """Find what the script says."""
        self._note("check", wanted)
        return self.script.findings

    def plan(self, wanted: Wanted) -> Plan:
        """Plan something."""
        self._note("plan", wanted)
        return Plan(steps=["release it"], memory="it fits", cost="$1 a month", manifest="kind: X")

    def deploy(self, wanted: Wanted) -> Deployment:
        """Run it, or fail."""
        self._note("deploy", wanted)
        if self.script.failure:
            raise self.script.failure
        return Deployment(platform="scripted", name="x", url=self.script.url, image=wanted.image)

    @contextmanager
    def reached(self, deployment: Deployment) -> Iterator[Sequence[Way]]:
        """Yield the URL."""
        yield [Way(deployment.url)]

    def status(self) -> Deployment | None:
        """Return it."""
        return Deployment(platform="scripted", name="x", url=self.script.url)

    def logs(self, *, follow: bool, lines: int) -> Iterator[str]:
        """Say nothing."""
        return iter(())

    def removal(self) -> Removal | None:
        """Say what would be lost."""
        return Removal(name="my-app", steps=["delete my-app"], lost=self.script.lost)

    def destroy(self) -> bool:
        """Be gone."""
        self.script.asked.append("destroy")
        return True

    def earlier_image(self, to: str) -> str:
        """Name it, if there is one."""
        if self.script.no_way_back:
            raise CommandError("no image ran before")
        return to or "before:1"

    def roll_back_image(self, to: str, timeout: float) -> Deployment:
        """Go back."""
        self.script.asked.append("roll back")
        image = self.earlier_image(to)
        return Deployment(platform="scripted", name="x", url=self.script.url, image=image)

    def _note(self, what: str, wanted: Wanted) -> None:
        self.script.asked.append(what)
        self.script.images.append(wanted.image)
