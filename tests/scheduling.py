"""How tests are spread over workers: one by one, but for files whose set-up is too dear for two."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_TOGETHER = ("tests/end_to_end/test_image.py",)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # the plugin has no types
    """Every test is a scope of its own, except that all of some files are one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in _TOGETHER else nodeid


def scheduling(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Return it where tests are spread; None where the command line wants another way."""
    return Scheduling(config, log) if config.getoption("dist") == "load" else None
