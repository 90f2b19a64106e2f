"""The doctor tries both keys on the store: what they must do, and what they must not."""

from uuid import uuid4

import msgspec

from pointsman_infra import administrator as administration
from pointsman_infra import doctor, policies
from pointsman_infra.outputs import Credentials, StoreOutputs
from tests.servers.seaweedfs import ACCESS_KEY, REGION, SECRET_KEY, SeaweedFS

ROOT = Credentials(ACCESS_KEY, SECRET_KEY)


def outputs(server: SeaweedFS, bucket: str, runtime: Credentials) -> StoreOutputs:
    return StoreOutputs(
        store=f"s3://{bucket}",
        endpoint=server.endpoint,
        region=REGION,
        bucket=bucket,
        publisher=ROOT,
        runtime=runtime,
    )


def test_narrow_keys_are_all_good_however_often_they_are_tried(administrator: SeaweedFS) -> None:
    bucket = f"doctor-{uuid4().hex[:8]}"
    administration.buckets(administrator.endpoint, REGION).create(bucket)
    users = administration.principals(administrator.endpoint, REGION)
    users.create(f"{bucket}-runtime", policies.runtime(bucket))
    handed = outputs(administrator, bucket, users.issue(f"{bucket}-runtime"))
    for _ in range(2):
        findings = list(doctor.examine(handed))
        assert [finding for finding in findings if not finding.good] == []
    store = administration.open_with(handed.store, administrator.environment)
    assert len(list(store.scan("models/"))) == 1, "one probe is left, and only one"


def test_a_runtime_key_that_could_replace_models_is_found_out(administrator: SeaweedFS) -> None:
    bucket = f"doctor-{uuid4().hex[:8]}"
    administration.buckets(administrator.endpoint, REGION).create(bucket)
    bad = [each for each in doctor.examine(outputs(administrator, bucket, ROOT)) if not each.good]
    assert [each.question for each in bad] == ["runtime cannot write models"]
    assert "a key of its own" in bad[0].fix


def test_a_key_that_nobody_knows_fails_every_check_with_a_cause(administrator: SeaweedFS) -> None:
    handed = outputs(administrator, administrator.bucket, Credentials("nobody", "nothing"))
    findings = list(doctor.examine(msgspec.structs.replace(handed, publisher=handed.runtime)))
    good = [finding.question for finding in findings if finding.good]
    assert good == []
    assert all("access key does not exist" in finding.answer for finding in findings)
