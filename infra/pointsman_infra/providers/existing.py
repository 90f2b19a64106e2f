"""A bucket that somebody else made, adopted with the keys they gave: nothing is made or changed.

`infra doctor` tries whether the keys can do what they must, and cannot do what they must not.
"""

from pointsman_infra import given
from pointsman_infra.provisioned import Provisioned
from pointsman_infra.settings import Settings


def provision(settings: Settings) -> Provisioned:
    """Hand over what was given, as if it had been made here."""
    prefix = settings.prefix.strip("/")
    return Provisioned(
        store=f"s3://{settings.bucket}" + (f"/{prefix}" if prefix else ""),
        fleet=f"s3://{settings.fleet}" if settings.fleet else "",
        endpoint=settings.endpoint,
        region=settings.region or "us-east-1",
        publisher=given.key("publisher"),
        runtime=given.key("runtime"),
    )
