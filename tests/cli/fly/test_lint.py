"""What is said about a fly.toml: each mistake once, with its remedy; a good file has none."""

import tomllib
from pathlib import Path

import pytest

from pointsman.findings import Finding, Severity
from pointsman_cli.platforms.fly import configuration, lint, platform
from pointsman_service.settings import Settings
from tests.cli.fly.conftest import FLY_TOML

ROOT = Path(__file__).parents[3]
EXPECTED = lint.Expected(8000, 21.0)


def findings(text: str) -> list[Finding]:
    file = configuration.parsed(Path("fly.toml"), tomllib.loads(text))
    return lint.findings(file, EXPECTED)


def changed(old: str, new: str) -> list[Finding]:
    """Return the findings of the good file with one thing changed."""
    assert old in FLY_TOML
    return findings(FLY_TOML.replace(old, new))


def test_a_good_file_and_the_one_at_the_root_have_nothing_wrong() -> None:
    for text in (FLY_TOML, (ROOT / "fly.toml").read_text()):
        assert [each.severity for each in findings(text)] == [Severity.OK]


@pytest.mark.parametrize(
    ("old", "new", "message", "remediation"),
    [
        ('interval = "15s"', 'grace_period = "5m"', "a grace period of 300 s is lowered", "wait_"),
        ('interval = "15s"', "interval = 15", "interval is a bare number", 'interval = "15s"'),
        ('timeout = "5s"', 'timeout = "90s"', "timeout is 90 s, and Fly lowers it", '"60s"'),
        ('path = "/health"', 'path = "/"', "asks /, which is not 200 exactly when", '"/health"'),
        ('path = "/health"', "", "asks /, which is not 200 exactly when", '"/health"'),
        ("auto_start_machines = true", "auto_start_machines = false", "never starts them", "true"),
        ('auto_stop_machines = "stop"', 'auto_stop_machines = "halt"', "cannot be 'halt'", "stop"),
        ('auto_stop_machines = "stop"', "auto_stop_machines = false", "has no effect", "Remove"),
        ("internal_port = 8000", "internal_port = 8080", "asks port 8080", "internal_port = 8000"),
        ('kill_timeout = "30s"', 'kill_timeout = "10s"', "Fly kills a machine after 10 s", '"30s"'),
        ('kill_timeout = "30s"', "", "Fly kills a machine after 5 s", '"30s"'),
        ('kill_timeout = "30s"', 'kill_timeout = "6m"', "cannot be: at most 300 s", '"30s"'),
        ('kill_timeout = "30s"', 'kill_timeout = "30"', "cannot be: at most 300 s", '"30s"'),
        ('"SIGTERM"', '"SIGKILL"', "without letting it answer", "SIGTERM"),
        ('"bluegreen"', '"rolling"', "leaves a failed one behind", "bluegreen"),
        ('"bluegreen"', '"immediate"', "waits for none of them", "bluegreen"),
        ('"bluegreen"', '"canarry"', "there is no strategy 'canarry'", "canary"),
        ('wait_timeout = "20s"', "wait_timeout = 600", "is no time to wait", '"10m"'),
        ('memory = "1gb"', 'memory = "64gb"', "have at most 4096 MB", "more CPUs"),
        ('memory = "1gb"', 'memory = "lots"', "memory cannot be 'lots'", "Correct"),
        ('"shared-cpu-2x"', '"shared-cpu-3x"', "there is no size 'shared-cpu-3x'", "Correct"),
        ("force_https = true", "force_http = true", "no key http_service.force_http;", "force_ht"),
        ("primary_region", "primary_regoin", "no key primary_regoin;", "primary_region?"),
        ("[[vm]]", '[env]\n  FLY_REGION = "x"\n[[vm]]', "are Fly's own", "Rename"),
        ("[[vm]]", '[env]\n  PORT = "9000"\n[[vm]]', "listens on 9000", "internal_port = 9000"),
        ("[[vm]]", '[[mounts]]\n  source = "a"\n[[vm]]', "cannot be used with volumes", "rolling"),
        ("[[vm]]", '[checks.a]\n  interval = "1s"\n[[vm]]', "flyctl refuses it", "Change it"),
        ('size = "shared-cpu-2x"', 'gpu_kind = "l40s"', "no GPU machines", "gpu_kind"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    old: str, new: str, message: str, remediation: str
) -> None:
    [found] = changed(old, new)
    assert message in found.message
    assert remediation in found.remediation
    assert found.severity is not Severity.OK


def test_a_file_without_a_service_or_without_checks_is_refused() -> None:
    [missing] = findings('app = "a"\nkill_timeout = "30s"\n[deploy]\nstrategy = "bluegreen"\n')
    assert "has no [http_service]" in missing.message
    start = FLY_TOML.index("  [[http_service.checks]]")
    [unchecked] = findings(FLY_TOML[:start])
    assert "has no health check" in unchecked.message
    assert unchecked.severity is Severity.ERROR


def test_suspend_is_refused_where_fly_would_only_stop() -> None:
    suspend = FLY_TOML.replace('auto_stop_machines = "stop"', 'auto_stop_machines = "suspend"')
    assert findings(suspend)[0].severity is Severity.OK
    [large] = findings(suspend.replace('memory = "1gb"', 'memory = "4gb"'))
    assert "more than 2 GB of memory cannot be suspended" in large.message
    [swap] = findings("swap_size_mb = 512\n" + suspend)
    assert "machines with swap cannot be suspended" in swap.message


def test_a_service_of_the_long_form_is_looked_at_as_well() -> None:
    text = """
app = "a"
kill_timeout = "30s"
deploy.strategy = "bluegreen"
[[services]]
  internal_port = 8000
  protocol = "tcp"
  [[services.http_checks]]
    interval = 15000
    path = "/livez"
"""
    messages = [each.message for each in findings(text)]
    assert any("services[0].http_checks[0] asks /livez" in each for each in messages)
    assert any("interval is a bare number" in each for each in messages)


def test_the_lint_knows_what_the_service_really_does() -> None:
    settings = Settings(store="file:///s", model="m")
    assert settings.port == platform.PORT
    assert settings.drain_grace == platform.DRAIN_GRACE
    assert settings.drain_timeout == platform.DRAIN_TIMEOUT
