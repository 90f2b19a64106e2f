"""`railway.json` as our input: read strictly, overlaid by environment, compared with what stuck."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.findings import Severity
from pointsman_cli.errors import UsageError
from pointsman_cli.platforms.railway import lint
from pointsman_cli.platforms.railway.settings import Settings, differences
from pointsman_cli.platforms.railway.settings_file import read

ROOT = Path(__file__).parents[3]


def settings(tmp_path: Path, document: Any, environment: str = "production") -> Settings:
    path = tmp_path / "railway.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read(path, environment)


def refusal(tmp_path: Path, document: Any) -> tuple[str, str]:
    with pytest.raises(UsageError) as error:
        settings(tmp_path, document)
    return error.value.message.removeprefix(f"{tmp_path / 'railway.json'}: "), error.value.hint


def test_the_file_of_this_repository_is_read_without_a_finding() -> None:
    found = read(ROOT / "railway.json", "production")
    assert list(lint.findings_of(found, "hobby")) == []
    assert found == read(ROOT / "no-such-file", "production")


def test_for_an_image_it_names_the_source_and_for_a_source_the_dockerfile(tmp_path: Path) -> None:
    found = settings(tmp_path, {"build": {"dockerfilePath": "a/Dockerfile"}, "deploy": {}})
    assert found.input("me/digits:v1") == {"source": {"image": "me/digits:v1"}}
    assert found.input("") == {"dockerfilePath": "a/Dockerfile"}


def test_texts_become_the_numbers_that_the_api_takes(tmp_path: Path) -> None:
    deploy = {"overlapSeconds": "60", "drainingSeconds": 30, "preDeployCommand": "true"}
    assert settings(tmp_path, {"deploy": deploy}).input("i") == {
        "overlapSeconds": 60,
        "drainingSeconds": 30,
        "preDeployCommand": ["true"],
        "source": {"image": "i"},
    }


def test_an_environments_block_lies_over_the_common_one(tmp_path: Path) -> None:
    document = {
        "deploy": {"healthcheckPath": "/health", "drainingSeconds": 30},
        "environments": {"staging": {"deploy": {"drainingSeconds": 60}}, "pr": None},
    }
    staging = settings(tmp_path, document, "staging").deploy
    assert (staging.draining_seconds, staging.healthcheck_path) == (60, "/health")
    assert settings(tmp_path, document).deploy.draining_seconds == 30


def test_replicas_are_counted_over_all_regions(tmp_path: Path) -> None:
    regions = {"us-west2": {"numReplicas": 2}, "europe-west4": {"numReplicas": 3}}
    found = settings(tmp_path, {"deploy": {"multiRegionConfig": regions}})
    assert (found.replicas, found.regions) == (5, set(regions))
    assert found.input("i")["multiRegionConfig"] == regions


@pytest.mark.parametrize(
    ("document", "message", "hint"),
    [
        ({"deploi": {}}, "there is no key deploi", "Is it deploy?"),
        (
            {"deploy": {"healthCheckPath": "/health"}},
            "there is no key deploy.healthCheckPath",
            "Is it deploy.healthcheckPath?",
        ),
        (
            {"environments": {"pr": {"deploy": {"drainSeconds": 1}}}},
            "there is no key environments.pr.deploy.drainSeconds",
            "Is it environments.pr.deploy.drainingSeconds?",
        ),
        ({"deploy": {"zzz": 1}}, "there is no key deploy.zzz", "Known keys: startCommand,"),
        (
            {"deploy": {"healthcheckTimeout": "long"}},
            "deploy.healthcheckTimeout: expected `int | null`, got `str`",
            "docs.railway.com",
        ),
        (
            {"deploy": {"drainingSeconds": -1}},
            "deploy.drainingSeconds: expected `int` >= 0",
            "docs.railway.com",
        ),
        (
            {"deploy": {"restartPolicyType": "SOMETIMES"}},
            "deploy.restartPolicyType: invalid enum value 'SOMETIMES'",
            "docs.railway.com",
        ),
        ({"build": {"builder": "RAILPACK"}}, "build.builder: only DOCKERFILE", "Dockerfile"),
        (
            {"deploy": {"registryCredentials": {"username": "a", "password": "hunter2"}}},
            "deploy.registryCredentials cannot be applied",
            "RAILWAY_REGISTRY_PASSWORD",
        ),
        ({"deploy": {"cronSchedule": "* * * * *"}}, "deploy.cronSchedule cannot", "remove it"),
        ({"build": {"buildCommand": "make"}}, "build.buildCommand cannot", "Dockerfile"),
        ({"deploy": []}, "deploy is no object", "key"),
        ([], "the file is no object", "key"),
    ],
)
def test_what_is_written_wrongly_is_named_with_its_key(
    tmp_path: Path, document: Any, message: str, hint: str
) -> None:
    found = refusal(tmp_path, document)
    assert message in found[0]
    assert hint in found[1]
    assert "hunter2" not in found[0] + found[1]


def test_what_is_no_json_is_said_to_be_none(tmp_path: Path) -> None:
    message, _ = refusal(tmp_path, "{" * 10_000)
    assert "is not JSON" in message


def test_what_did_not_stick_is_told_and_what_cannot_be_read_is_not() -> None:
    wanted = {
        "healthcheckPath": "/health",
        "overlapSeconds": 5,
        "preDeployCommand": ["true"],
        "drainingSeconds": 30,
        "region": "us-west2",
        "multiRegionConfig": {"us-west2": {"numReplicas": 2}},
        "source": {"image": "a:1"},
    }
    found = {
        "drainingSeconds": "30",
        "multiRegionConfig": {"us-west2": {"numReplicas": 2, "zone": None}},
        "healthcheckPath": None,
        "overlapSeconds": 5,
        "preDeployCommand": "true",
        "source": {"image": "a:0", "repo": None},
    }
    assert differences(wanted, found) == [
        "healthcheckPath is not set instead of /health",
        "source is a:0 instead of a:1",
    ]


GOOD = {"healthcheckPath": "/health", "drainingSeconds": 30, "overlapSeconds": 5}


@pytest.mark.parametrize(
    ("deploy", "plan", "severity", "text"),
    [
        ({"healthcheckPath": None}, "", "error", "healthcheckPath is missing"),
        ({"healthcheckPath": "/livez"}, "", "error", "is /livez"),
        ({"healthcheckTimeout": 20}, "", "warning", "healthcheckTimeout is 20 s"),
        ({"drainingSeconds": 0}, "", "warning", "requests in flight are cut off"),
        ({"overlapSeconds": 0}, "", "warning", "overlapSeconds is 0"),
        ({"sleepApplication": True}, "", "warning", "keeps the service awake"),
        ({"startCommand": "serve --port $PORT"}, "", "error", "without a shell"),
        ({"startCommand": "sh -c 'serve --port $PORT'"}, "", "", ""),
        ({"numReplicas": 3}, "free", "error", "3 replicas are more than the free plan's 1"),
        ({"restartPolicyType": "ALWAYS"}, "trial", "error", "ALWAYS"),
        ({"restartPolicyType": "ALWAYS"}, "pro", "", ""),
        ({"restartPolicyMaxRetries": 11}, "free", "error", "has 10"),
        ({"healthcheckPath": "/health?version=v2"}, "", "", ""),
    ],
)
def test_settings_that_harm_are_found(
    tmp_path: Path, deploy: dict[str, Any], plan: str, severity: str, text: str
) -> None:
    found = list(lint.findings_of(settings(tmp_path, {"deploy": GOOD | deploy}), plan))
    if not severity:
        assert found == []
        return
    [finding] = found
    assert finding.severity is Severity(severity)
    assert text in finding.message
    assert finding.remediation
