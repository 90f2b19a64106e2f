"""The same story on a real S3 server: publish, serve, switch under load, roll back, restart."""

from pathlib import Path

import pointsman
from tests import models
from tests.cli.workspace import Workspace
from tests.end_to_end.clients import Clients
from tests.servers import service_process

ROW = [[1.0, 2.0, 3.0, 4.0]]


def test_a_switch_and_a_rollback_over_s3_lose_no_request(s3_url: str, tmp_path: Path) -> None:
    operator = Workspace(tmp_path / "operator")
    operator.file.write_text(f'model = "m"\nstore = "{s3_url}"\n')
    for version, factor in (("v1", 2.0), ("v2", 3.0)):
        model = models.affine(tmp_path / f"{version}.onnx", factor)
        golden = models.affine_golden(tmp_path / f"{version}.npz", factor)
        assert operator.json("upload-model", version, model, "--golden", golden)["created"]
    operator.run("activate", "v1", "--no-wait")
    with service_process.running(tmp_path / "service", s3_url) as service:
        service.until_healthy(version="v1")
        with Clients(service, {"v1": 2.0, "v2": 3.0}) as clients:
            clients.until_answered(100)
            there = operator.json("activate", "v2")
            clients.until_answered(100)
            back = operator.json("rollback")
            clients.until_answered(100)
    assert [each["state"] for each in there["instances"] + back["instances"]] == ["serving"] * 2
    assert (back["from"], back["to"], back["generation"]) == ("v2", "v1", 3)
    assert there["failed_requests"] == back["failed_requests"] == 0
    assert not clients.failures
    assert set(clients.answers) == {"v1", "v2"}


def test_an_instance_that_ends_leaves_the_fleet_and_another_starts_from_the_cache(
    s3_url: str, tmp_path: Path
) -> None:
    registry = pointsman.open(s3_url)
    registry.publish("m", "v1", models.affine(tmp_path / "v1.onnx", 2.0))
    registry.activate("m", "v1")
    with service_process.running(tmp_path / "service", s3_url) as service:
        service.until_healthy(version="v1")
    # The store can no longer be reached: only the cache knows the model now.
    gone = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_ENDPOINT_URL": ""}
    with service_process.running(tmp_path / "service", s3_url, **gone) as service:
        body = service.until_healthy(version="v1")
        assert body["status"] == "degraded"
        assert service.predict(ROW).json()["outputs"]["y"] == [[2.0, 4.0, 6.0, 8.0]]
