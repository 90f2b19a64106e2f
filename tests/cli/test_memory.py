"""Whether a model fits into an instance: foretold before anything is deployed."""

import msgspec
import pytest

from pointsman.findings import Severity
from pointsman_cli.configuration import load
from pointsman_cli.context import Context
from pointsman_cli.output import Output
from pointsman_cli.platforms import memory
from tests.cli.workspace import MODEL, Workspace

MB = 1_000_000


@pytest.fixture
def context(listed: Workspace) -> Context:
    """v1 is active."""
    listed.registry.activate(MODEL, "v1")
    here = Context(Output(), {})
    here.project = load({}, {}, listed.folder)
    return here


@pytest.mark.parametrize(
    ("peak", "limit", "says"),
    [
        (100 * MB, 256 * MB, "two versions fit side by side"),
        (300 * MB, 512 * MB, "one version fits and not two"),
        (900 * MB, 512 * MB, "more than the service leaves"),
    ],
)
def test_a_verdict_names_the_numbers_and_what_a_switch_costs(
    context: Context, peak: int, limit: int, says: str
) -> None:
    manifest = context.registry.version(MODEL, "v1").manifest
    measured = msgspec.structs.replace(manifest.measured, peak_rss_bytes=peak)
    told = memory.verdict(msgspec.structs.replace(manifest, measured=measured), limit)
    assert says in told
    assert told.startswith("v1 needs ")


def test_what_fits_is_well_and_what_does_not_is_an_error(context: Context) -> None:
    [fits] = memory.check(context, 1 << 30)
    [does_not] = memory.check(context, 1 << 20)
    assert (fits.severity, does_not.severity) == (Severity.OK, Severity.ERROR)
    assert "more memory" in does_not.remediation


def test_where_nothing_is_active_there_is_nothing_to_tell(listed: Workspace) -> None:
    here = Context(Output(), {})
    here.project = load({}, {}, listed.folder)
    assert memory.check(here, 1 << 30) == []
