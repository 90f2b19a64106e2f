"""What a release needs on Fly's side before it is made: the app, its secrets, the image.

None of it changes what serves: secrets are staged, and a pushed image is only stored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pointsman_cli.context import Context
from pointsman_cli.platforms.fly import commands, images, reply, secrets
from pointsman_cli.platforms.fly.configuration import FlyFile
from pointsman_cli.platforms.fly.flyctl import Flyctl, FlyFailed
from pointsman_cli.units import counted

REGISTRY = "registry.fly.io"
_DIGEST = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})\b")


@dataclass(frozen=True, slots=True)
class Pushed:
    """An image where Fly's machines can pull it; `digest` is "" where nobody told it."""

    reference: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Brings things to one app."""

    context: Context
    fly: Flyctl
    file: FlyFile

    @property
    def repository(self) -> str:
        """Where the app's images are."""
        return f"{REGISTRY}/{self.file.app}"

    def app(self, organization: str) -> None:
        """Make the app; raises `FlyFailed`."""
        name = self.file.app
        self.context.output.step(f"making the app {name} in {organization}")
        self.fly.tell(commands.create(name, organization))
        self.context.stands(f"The app {name} was made; it runs nothing yet.")

    def secrets(self, values: Mapping[str, str]) -> None:
        """Stage secrets for the next release, by standard input; raises `FlyFailed`."""
        if not values:
            return
        shipment, name = secrets.shipment(values), self.file.app
        if shipment.document:
            self.fly.tell(commands.import_secrets(name), shipment.document)
        for secret, value in shipment.singles.items():
            self.fly.tell(commands.set_secret(name, secret), value)
        if missing := values.keys() - self.secret_names():
            raise FlyFailed(
                f"flyctl did not take the secrets {', '.join(sorted(missing))}",
                "`fly version upgrade`, then deploy again.",
                "",
            )
        self.context.output.step(f"staged {counted(len(values), 'secret')} for the release")

    def secret_names(self) -> frozenset[str]:
        """Return the names of the secrets that the app has; raises `FlyFailed`."""
        found = self.fly.ask(commands.secret_names(self.file.app), reply.names)
        return frozenset(found)

    def image(self, image: str) -> Pushed:
        """Push an image of this machine's engine; one of a registry stays where it is."""
        if images.names_registry(image):
            return Pushed(image)
        tag = images.label(image)
        arguments = commands.push(self.file.app, self.file.path, image, tag)
        digest = ""
        with (
            self.context.output.waiting(f"pushing {image} to {self.repository}") as update,
            self.fly.stream(arguments) as streaming,
        ):
            for line in streaming.lines:
                update(line.text.strip() or "pushing")
                if told := _DIGEST.search(line.text):
                    digest = told[1]
            if streaming.code != 0:
                raise self.fly.failed(arguments, streaming.said(errors_only=True))
        self.context.output.step(f"pushed {self.repository}:{tag}")
        return Pushed(f"{self.repository}:{tag}", digest)
