"""Railway's tokens: in which variable each kind is given, and which header it goes into.

The variables mean what they mean to Railway's own command, so that a CI set up for that works.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pointsman_cli.errors import UsageError

PROJECT_VARIABLE = "RAILWAY_TOKEN"
BEARER_VARIABLE = "RAILWAY_API_TOKEN"


class Kind(StrEnum):
    """How far a token reaches."""

    ACCOUNT = "account"
    WORKSPACE = "workspace"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Token:
    """A secret, the variable it came from, and whether it goes into the header of projects."""

    variable: str
    of_project: bool
    secret: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header that carries it."""
        if self.of_project:
            return {"Project-Access-Token": self.secret}
        return {"Authorization": f"Bearer {self.secret}"}

    @property
    def as_the_other(self) -> "Token":
        """The same secret in the other header: to find out that it stands in the wrong variable."""
        return Token(self.variable, not self.of_project, self.secret)


def from_environment(environment: Mapping[str, str]) -> Token:
    """Return the token to use: a project's, where both kinds are set; raises `UsageError`."""
    for variable, of_project in ((PROJECT_VARIABLE, True), (BEARER_VARIABLE, False)):
        if secret := environment.get(variable, "").strip():
            if not secret.isprintable() or not secret.isascii() or " " in secret:
                raise UsageError(
                    f"{variable} holds something that is no token",
                    "A token is one line without spaces; copy it again from railway.com.",
                )
            return Token(variable, of_project, secret)
    raise UsageError(
        f"there is no Railway token: neither {BEARER_VARIABLE} nor {PROJECT_VARIABLE} is set",
        f"Make one at https://railway.com/account/tokens and put it into {BEARER_VARIABLE}; or one "
        f"for a single environment in the project's settings, and put it into {PROJECT_VARIABLE}.",
    )


def ambiguous(environment: Mapping[str, str]) -> bool:
    """Tell whether both variables are set, of which only one is used."""
    return all(environment.get(name, "").strip() for name in (PROJECT_VARIABLE, BEARER_VARIABLE))
