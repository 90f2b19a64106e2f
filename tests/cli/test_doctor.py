"""`pointsman doctor`: findings for people and machines, and an exit code that tells."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.seaweedfs import ACCESS_KEY, GUARDED, RUNTIME_KEY, SECRET_KEY, SeaweedFS


def doctor(directory: Path, store: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(Path(sys.executable).parent / "pointsman"), "doctor", "--store", store, "--json"],
        cwd=directory,
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def document(result: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_a_store_fit_for_use_ends_with_zero(file_url: str, tmp_path: Path) -> None:
    result = doctor(tmp_path, file_url)

    assert result.returncode == 0
    answer = document(result)
    assert answer["store"] == file_url
    assert {finding["severity"] for finding in answer["findings"]} == {"ok"}


@pytest.mark.parametrize(("key", "code"), [(RUNTIME_KEY, 0), (ACCESS_KEY, 1)])
def test_the_services_credentials_decide_and_are_never_shown(
    s3_server: SeaweedFS, tmp_path: Path, key: str, code: int
) -> None:
    result = doctor(
        tmp_path,
        f"s3://models/{GUARDED}",
        **s3_server.environment,
        POINTSMAN_RUNTIME_ACCESS_KEY_ID=key,
        POINTSMAN_RUNTIME_SECRET_ACCESS_KEY=SECRET_KEY,
    )

    assert result.returncode == code
    last = document(result)["findings"][-1]
    assert (last["check"], last["severity"]) == (
        "runtime cannot write models",
        "error" if code else "ok",
    )
    assert SECRET_KEY not in result.stdout + result.stderr


def test_half_of_the_services_credentials_is_said_to_be_half(
    s3_server: SeaweedFS, tmp_path: Path
) -> None:
    environment = s3_server.environment | {"POINTSMAN_RUNTIME_ACCESS_KEY_ID": "key"}
    result = doctor(tmp_path, f"s3://models/{GUARDED}", **environment)

    assert result.returncode == 2
    assert "POINTSMAN_RUNTIME_SECRET_ACCESS_KEY" in document(result)["error"]
