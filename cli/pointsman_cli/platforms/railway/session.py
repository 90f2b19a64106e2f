"""One invocation's conversation with Railway: who asks, about which service, with which settings.

Each part is found out when it is first needed, and once: questions are counted.
"""

import functools
import os
import re

from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, UsageError
from pointsman_cli.images import source
from pointsman_cli.platforms import variables
from pointsman_cli.platforms.railway import images, settings_file, sites
from pointsman_cli.platforms.railway.api import token
from pointsman_cli.platforms.railway.api.client import BASE_URL, Client
from pointsman_cli.platforms.railway.api.identity import Identity, identify
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.configuring import Desired
from pointsman_cli.platforms.railway.names import Names, names
from pointsman_cli.platforms.railway.selection import Selection, select
from pointsman_cli.platforms.railway.settings import Settings
from pointsman_cli.platforms.railway.sites import Site

PORT = 8000
URL_VARIABLE = "POINTSMAN_RAILWAY_URL"
_REFERENCE = "${{"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Session:
    """What is known of Railway, in the order in which it is found out."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @functools.cached_property
    def client(self) -> Client:
        """The conversation; raises `UsageError` without a token."""
        base = os.environ.get(URL_VARIABLE) or BASE_URL
        if not base.startswith(("http://", "https://")):
            raise UsageError(f"{URL_VARIABLE} is no URL: {base}", f"Usually it is {BASE_URL}.")
        if token.ambiguous(os.environ):
            self.context.output.warn(
                f"{token.PROJECT_VARIABLE} and {token.BEARER_VARIABLE} are both set: "
                f"{token.PROJECT_VARIABLE} is used"
            )
        return Client(base, token.from_environment(os.environ), self.context.output.step)

    @functools.cached_property
    def identity(self) -> Identity:
        """Whose token it is."""
        return identify(self.client)

    @functools.cached_property
    def names(self) -> Names:
        """What is looked for."""
        context = self.context
        return names(context.project, context.model, context.channel, os.environ)

    @functools.cached_property
    def site(self) -> Site:
        """What there was when it was first looked for."""
        return sites.find(self.client, self.identity, self.names)

    @property
    def address(self) -> Address:
        """The service's ids; raises `CommandError` when there is no such service."""
        if (address := self.site.address) is None:
            raise CommandError(
                f"{self.site.title} is not deployed at Railway",
                "`pointsman deploy --platform railway` makes it.",
            )
        return address

    @functools.cached_property
    def settings(self) -> Settings:
        """What `railway.json` says; raises `UsageError` when it is wrong."""
        path = self.context.project.native(settings_file.NAME)
        return settings_file.read(path, self.site.environment_name)

    @functools.cached_property
    def variables(self) -> variables.Variables:
        """What the service is told, beside its port; raises `UsageError` for impossible names."""
        told = variables.of_service(self.context, "railway")
        own = self.context.project.configuration.railway.variables
        for name in own:
            if not _VARIABLE.fullmatch(name) or name == "PORT":
                raise UsageError(
                    f"[railway.variables] cannot set {name!r}",
                    "PORT is set by pointsman; names have letters, digits and underscores.",
                )
        for name, value in told.all().items():
            # In one's own variables that is a way to point to another service's.
            if _REFERENCE in value:
                raise UsageError(
                    f"the value of {name} contains {_REFERENCE}",
                    "Railway takes that for a reference to another variable: use another value.",
                )
        return variables.Variables({**own, **told.plain}, told.secret)

    @functools.cached_property
    def selection(self) -> Selection:
        """Which files would be uploaded."""
        key = self.context.project.configuration.signing_key
        private = [self.context.project.directory / key] if key else []
        directory, dockerfile = self.context.project.directory, self.settings.build.dockerfile_path
        chosen = select(directory, dockerfile, private)
        named = directory / dockerfile
        copies = named.is_file() and source.SERVICE in named.read_text(errors="replace")
        return chosen.completed(source.brought()) if copies else chosen

    def desired(self, image: str, port: int) -> Desired:
        """Return what the service is to be told; `image` is "" for an uploaded source."""
        credentials = images.credentials(os.environ) if image else None
        self.client.secrets.add([*self.variables.secret.values()])
        self.client.secrets.add([credentials["password"]] if credentials else [])
        told = self.variables.all() | {"PORT": str(port)}
        return Desired(told, self.settings.input(image), credentials)
