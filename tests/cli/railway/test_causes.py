"""Why a deployment failed: one sentence, told from its steps and its logs."""

import pytest

from pointsman_cli.platforms.railway.api.deployments import Step
from pointsman_cli.platforms.railway.causes import cause

IMAGE = "ghcr.io/acme/digits:v1"
UNHEALTHY = Step("HEALTHCHECK", error="1/1 replicas never became healthy", attempt=11)


def create(error: str) -> list[Step]:
    return [Step("BUILD_IMAGE"), Step("CREATE_CONTAINER", error=error)]


@pytest.mark.parametrize(
    ("steps", "build", "log", "sentence", "fix"),
    [
        (
            [UNHEALTHY],
            [],
            ["exec /usr/bin/python: exec format error"],
            "was built for another architecture",
            "linux/amd64",
        ),
        (
            create("no matching manifest for linux/amd64 in the manifest list entries"),
            [],
            [],
            "was built for another architecture",
            "--platform linux/amd64",
        ),
        (
            create("pull access denied, repository does not exist or may require login"),
            [],
            [],
            "the registry refuses to give Railway the image",
            "RAILWAY_REGISTRY_USERNAME",
        ),
        (create("unauthorized: authentication required"), [], [], "refuses", "read:packages"),
        (create("manifest unknown"), [], [], "the registry has no image", "pointsman push"),
        ([UNHEALTHY], [], ["Killed", "exited with code 137"], "ran out of memory", "smaller"),
        (
            [Step("BUILD_IMAGE", error="failed")],
            ["dockerfile invalid: docker VOLUME at Line 3 is banned"],
            [],
            "VOLUME instruction",
            "Remove",
        ),
        (
            [UNHEALTHY],
            [],
            ["Uvicorn running on http://127.0.0.1:8000"],
            "listens on 127.0.0.1",
            "POINTSMAN_HOST",
        ),
    ],
)
def test_a_known_cause_is_named_with_its_fix(
    steps: list[Step], build: list[str], log: list[str], sentence: str, fix: str
) -> None:
    found = cause(steps, build, log, IMAGE)
    assert sentence in found.sentence
    assert fix in found.hint


def test_what_the_service_says_of_its_store_is_not_taken_for_the_registrys() -> None:
    found = cause([UNHEALTHY], [], ["error: the store refused: 403 Forbidden, denied"], IMAGE)
    assert found.sentence == (
        "the health check failed after 11 attempts: 1/1 replicas never became healthy; "
        "the service said: the store refused: 403 Forbidden, denied"
    )


def test_of_several_lines_the_last_error_counts_and_it_is_cut() -> None:
    log = ["error: first", f"ValueError: {'x' * 500}", "bye"]
    found = cause([], [], log, IMAGE)
    assert found.sentence.startswith("the service said: ValueError: xxx")
    assert len(found.sentence) < 250


@pytest.mark.parametrize(
    ("steps", "build", "sentence"),
    [
        ([Step("PUBLISH_IMAGE", error="exit\n 1")], [], "publish image failed: exit 1"),
        ([], ["step 3", "error: pip failed"], "pip failed"),
        ([], [], "Railway does not say why"),
    ],
)  # fmt: skip
def test_without_a_known_cause_the_last_words_are_told(
    steps: list[Step], build: list[str], sentence: str
) -> None:
    assert cause(steps, build, [], "").sentence == sentence
