"""How a dynamic resource fails: only text reaches the engine, so the sentence must survive."""

from collections.abc import Iterator
from contextlib import contextmanager

from pointsman.errors import PointsmanError
from pointsman_infra.errors import ResourceFailed


@contextmanager
def told() -> Iterator[None]:
    """Raise our own errors as one line, which `pointsman_infra.automation.failures` finds again."""
    try:
        yield
    except PointsmanError as error:
        raise ResourceFailed(error) from error
