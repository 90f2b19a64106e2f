"""What tests of publishing look at: whether anything is visible, and how an error reads."""

from pointsman import keys
from pointsman.errors import PointsmanError
from pointsman.registry import Registry

MODEL = "digits"


def nothing_is_visible(registry: Registry) -> bool:
    return registry.models() == [] and not list(registry.store.scan(keys.versions(MODEL)))


def one_sentence(error: PointsmanError) -> bool:
    return "\n" not in error.message and 10 < len(error.message) < 400
