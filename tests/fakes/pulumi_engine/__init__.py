"""An engine for tests where there is no `pulumi`: it runs the real program and keeps a state.

It speaks the engine's side of gRPC: programs register with it, and dynamic resources are made by
the real `python -m pulumi.dynamic`. What AWS and Cloudflare would answer is made up in `clouds`.
`FakePulumi` stands in for the SDK's command object; `python -m tests.fakes.pulumi_engine` for
the command itself.
"""

from tests.fakes.pulumi_engine.clouds import Clouds
from tests.fakes.pulumi_engine.command import FakePulumi

__all__ = ["Clouds", "FakePulumi"]
