"""What providers answer that are not here: AWS and Cloudflare, with computed members made up."""

from dataclasses import dataclass, field
from typing import Any


class ProviderError(Exception):
    """A provider refused; the text is in its own words."""


@dataclass
class Clouds:
    """Resources by type; `refusing` maps a type to what its provider says instead of making it."""

    refusing: dict[str, str] = field(default_factory=dict)

    def make(self, kind: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the id and the outputs of a new resource."""
        if kind in self.refusing:
            raise ProviderError(self.refusing[kind])
        computed: dict[str, Any] = {"arn": f"arn:aws:fake:::{kind.rsplit(':', 1)[-1]}/{name}"}
        identity = f"{name}-id"
        match kind:
            case "aws:s3/bucket:Bucket":
                identity = inputs["bucket"]
            case "aws:iam/accessKey:AccessKey":
                identity, computed["secret"] = f"AKIA{name.upper()}", f"secret-of-{name}"
            case "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
                computed["arn"] = "arn:aws:iam::123456789012:oidc-provider/oidc.fly.io/acme"
            case "cloudflare:index/accountToken:AccountToken":
                computed["value"] = f"value-of-{name}"
        return identity, inputs | computed
