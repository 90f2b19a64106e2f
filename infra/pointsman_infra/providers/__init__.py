"""One module per provider, each with `provision(settings)`; imported only when it is asked for.

The SDKs are heavy, and whoever provisions with one provider should not pay for another.
"""

from importlib import import_module

from pointsman_infra.provisioned import Provisioned
from pointsman_infra.settings import Settings


def provision(settings: Settings) -> Provisioned:
    """Declare the provider's resources; raises `SettingsInvalid` for credentials not given."""
    module = import_module(f"pointsman_infra.providers.{settings.provider.value}")
    provisioned: Provisioned = module.provision(settings)
    return provisioned
