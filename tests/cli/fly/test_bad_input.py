"""What goes wrong before a release: each names the fix, and nothing is changed."""

import pytest

import pointsman
from pointsman import keys
from pointsman import manifest as manifests
from pointsman.manifest import Measured
from tests.cli.fly.bench import APP, TOKEN, Bench
from tests.cli.fly.conftest import Project
from tests.cli.workspace import MODEL
from tests.registry.versions import manifest, store_version


def refused(project: Project, bench: Bench, code: int = 1) -> str:
    """Deploy; return what was said, of which nothing may be the token."""
    said = project.deploy(code=code)
    assert [each for each in bench.commands() if each.startswith("deploy --image")] == []
    assert "deploy" not in bench.commands()
    assert TOKEN not in said
    return said


def test_without_a_token(project: Project, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLY_API_TOKEN")
    said = refused(project, bench)
    assert "error: there is no token for Fly" in said
    assert "fly auth login" in said


def test_with_the_token_of_another_platform(
    project: Project, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLY_API_TOKEN", "3f8a2c1e-0b4d-4c5e-9f6a-7b8c9d0e1f2a")
    said = refused(project, bench)
    assert "is a UUID, and so not one of Fly's" in said
    assert "3f8a2c1e" not in said
    assert "fly tokens create deploy" in said


def test_with_a_token_that_creates_no_apps(project: Project, bench: Bench) -> None:
    bench.turn(failures={"apps create": "unauthorized (Request ID: 01J)"})
    said = refused(project, bench, code=10)
    assert f"error: the token may not do this with {APP}" in said
    assert "A deploy token works for one app and creates none" in said
    assert "Nothing was released." in said


def test_with_a_name_that_somebody_has(project: Project, bench: Bench) -> None:
    bench.take(APP)
    said = refused(project, bench, code=10)
    assert f"error: the name {APP} is taken: names are unique on all of Fly" in said
    assert "Choose another `app` in fly.toml." in said


def test_with_several_organizations(
    project: Project, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench.world.changing() as document:
        document["orgs"]["acme"] = "Acme"
    said = refused(project, bench)
    assert "there are several organizations: acme, personal" in said
    assert "Set FLY_ORG" in said
    monkeypatch.setenv("FLY_ORG", "acme")
    bench.turn(failures={"deploy": "stop here"})
    project.deploy(code=10)
    assert bench.arguments("apps", "create") == [["apps", "create", APP, "--org", "acme", "--json"]]


def test_without_flyctl(project: Project, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.folder))
    monkeypatch.setenv("PATH", str(bench.engine.programs))
    said = refused(project, bench)
    assert "error: flyctl is not installed, or not on PATH" in said
    assert "https://fly.io/docs/flyctl/install" in said


def test_with_an_old_flyctl(project: Project, bench: Bench) -> None:
    bench.turn(version="0.3.112")
    said = refused(project, bench)
    assert "error: flyctl 0.3.112 is too old: 0.4.80 is the oldest" in said
    assert "fly version upgrade" in said


def test_with_a_registry_that_refuses(project: Project, bench: Bench) -> None:
    bench.turn(registry='you are not authorized to push "registry.fly.io/my-model:one"')
    said = refused(project, bench, code=10)
    assert f"error: Fly's registry refuses the image of {APP}" in said
    assert "Nothing was released." in said


def test_with_an_image_that_is_nowhere(project: Project, bench: Bench) -> None:
    said = project.deploy("three", code=10)
    assert "digits:three" in said
    assert bench.app["releases"] == []


def test_with_an_image_for_other_machines(project: Project, bench: Bench) -> None:
    bench.have_images("arm64", 150_000_000)
    said = refused(project, bench)
    assert "the image digits:one is for linux/arm64, and Fly's machines are linux/amd64" in said
    assert "`pointsman build` it again" in said


def test_with_an_image_that_no_machine_would_start(project: Project, bench: Bench) -> None:
    bench.have_images("amd64", 9 << 30)
    assert "unpacked, and Fly starts none over 8 GB" in refused(project, bench)


def test_with_machines_that_are_too_small_for_the_model(
    project: Project, bench: Bench, s3_url: str
) -> None:
    registry = pointsman.open(s3_url)
    measured = Measured(
        runtime="onnxruntime", load_seconds=1, latency_seconds=1, peak_rss_bytes=2 << 30
    )
    large = manifests.seal(manifest(version="v9", measured=measured))
    registry.store.create(keys.manifest(MODEL, "v9"), large.document)
    registry.activate(MODEL, "v9")
    said = refused(project, bench)
    assert "which is more than the service leaves" in said
    assert "Give the instance more memory" in said


def test_with_an_engine_that_is_not_running(project: Project, bench: Bench) -> None:
    bench.engine.knobs(down=True)
    assert "its engine is not running" in refused(project, bench)


def test_with_nothing_active_and_several_versions(
    empty: Project, bench: Bench, s3_url: str
) -> None:
    for version in ("v1", "v2"):
        store_version(pointsman.open(s3_url).store, version)
    said = refused(empty, bench)
    assert f"error: nothing is active in {MODEL}/production" in said


def test_with_a_key_in_fly_toml_that_means_nothing(project: Project, bench: Bench) -> None:
    project.rewrite("force_https", "force_http")
    said = refused(project, bench)
    assert "fly.toml: there is no key http_service.force_http; Fly ignores it silently" in said
    assert "Is it http_service.force_https?" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("app = ", "is not TOML"),
        ('primary_region = "fra"', "names no app"),
        ('app = "My App"', "app cannot be 'My App': it becomes the name of a host"),
        (None, "there is no fly.toml in"),
    ],
)
def test_with_a_file_that_is_none(
    project: Project, bench: Bench, text: str | None, message: str
) -> None:
    if text is None:
        project.fly_toml.unlink()
    else:
        project.fly_toml.write_text(text)
    assert message in refused(project, bench, code=2)


def test_with_a_store_that_only_this_machine_has(project: Project, bench: Bench) -> None:
    project.file.write_text(f'model = "{MODEL}"\n')
    store_version(pointsman.open(project.store.as_uri()).store, "v1")
    assert "is a folder of this machine" in refused(project, bench)


def test_without_credentials_for_the_service(
    project: Project, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POINTSMAN_RUNTIME_SECRET_ACCESS_KEY")
    said = refused(project, bench)
    assert "the service would have no credentials" in said
    assert "POINTSMAN_RUNTIME_ACCESS_KEY_ID" in said


def test_what_secrets_of_earlier_do_is_said(project: Project, bench: Bench) -> None:
    with bench.world.changing() as document:
        secrets = {"POINTSMAN_MODEL": "x", "AWS_SESSION_TOKEN": "y"}
        document["apps"][APP] = {"machines": [], "releases": [], "secrets": secrets}
    bench.turn(failures={"deploy": "stop here"})
    said = project.deploy(code=10)
    assert "the app has a secret POINTSMAN_MODEL, which beats the variable" in said
    assert "secret AWS_SESSION_TOKEN of earlier, which the service's key does not go with" in said
    assert "`fly deploy` failed: stop here" in said


def test_going_back_where_nothing_was_before(project: Project, bench: Bench) -> None:
    said = project.run("rollback", "--image", "-p", "fly", code=1).err
    assert f"there is no app {APP} on Fly, or none that this token may see" in said
    bench.release("one")
    said = project.run("rollback", "--image", "-p", "fly", code=1).err
    assert f"{APP} never served another image" in said
    assert "Name one with --to" in said
    assert "deploy" not in bench.commands()


def test_the_doctor_finds_the_same_before_anybody_deploys(project: Project, bench: Bench) -> None:
    project.rewrite('interval = "15s"', 'interval = "15s"\n    grace_period = "5m"')
    bench.turn(version="0.4.10")
    document = project.json("doctor", "-p", "fly", code=1)
    found = {each["check"]: each for each in document["findings"]}
    assert "is lowered to 60 s" in found["fly.toml grace"]["message"]
    assert "flyctl 0.4.10 is too old" in found["flyctl"]["message"]
    assert found["credentials"]["severity"] == "ok"
    assert bench.commands() == []
