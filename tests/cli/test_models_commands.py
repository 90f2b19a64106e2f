"""`models diff|pull|verify|prune`, `keys` and `--sign`, typed as an operator would."""

import json
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pointsman import keys
from pointsman.registry import Registry
from pointsman.signing.keypair import SigningKey
from pointsman.stores import open_store
from pointsman.stores.base import ObjectStore
from pointsman_cli.errors import Exit
from tests import models
from tests.versions import age, names, put

SCRIPT = str(Path(sys.executable).with_name("pointsman"))


class Shell:
    """A folder with a configuration and a store."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.store: ObjectStore = open_store(url)
        folder.mkdir(exist_ok=True)
        (folder / "pointsman.toml").write_text(f'model = "m"\nstore = "{url}"\n')

    def type(self, *arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run `pointsman …`."""
        return subprocess.run(
            [SCRIPT, *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments: str | Path, code: int = 0, **variables: str) -> Any:
        """Run it with `--json`; return its document."""
        ended = self.type(*arguments, "--json", **variables)
        assert ended.returncode == code, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture
def shell(tmp_path: Path, file_url: str) -> Shell:
    """A folder whose store is empty."""
    return Shell(tmp_path / "folder", file_url)


def test_a_diff_says_what_changed_and_what_both_compute(shell: Shell, tmp_path: Path) -> None:
    for version, factor in (("v1", 2.0), ("v2", 2.5)):
        model = models.affine(tmp_path / version / "model.onnx", factor)
        golden = models.affine_golden(tmp_path / version / "golden.npz", factor)
        metrics = {"accuracy": factor}
        Registry(shell.store).publish("m", version, model, golden=golden, metrics=metrics)

    found = shell.json("models", "diff", "v1", "v2")
    kinds = {(each["kind"], each["name"]) for each in found["differences"]}
    assert {("file", "model.onnx"), ("metric", "accuracy")} <= kinds
    assert (found["runs"]["golden_of"], found["runs"]["rows"]) == ("v1", 3)
    assert found["runs"]["outputs"][0]["largest"] == pytest.approx(5.5)

    told = shell.type("models", "diff", "v1", "v2")
    assert "latency  3 golden rows of v1" in told.stdout

    told = shell.type("models", "diff", "v1", "v2", "--no-run")
    assert told.returncode == 0
    assert "accuracy" in told.stdout
    assert "not run: --no-run" in told.stderr


def test_pull_brings_files_and_verify_finds_what_is_damaged(shell: Shell) -> None:
    version = put(shell.store, "v1", {"model.onnx": b"model", "data/w.bin": b"w"})

    assert shell.json("models", "pull", "v1")["files"] == ["model.onnx", "data/w.bin"]
    assert (shell.folder / "m-v1" / "data" / "w.bin").read_bytes() == b"w"
    assert shell.json("models", "verify", "--all")["damage"] == []

    blob = keys.blob("m", version.manifest.files[0].sha256)
    shell.store.overwrite(blob, b"modem")
    found = shell.json("models", "verify", "v1", code=Exit.FAILED)
    assert [(each["key"], each["fault"]) for each in found["damage"]] == [(blob, "damaged")]
    told = shell.type("models", "pull", "v1", "--to", "again")
    assert (told.returncode, "is damaged" in told.stderr) == (Exit.FAILED, True)
    assert shell.type("models", "verify").returncode == Exit.USAGE


def test_prune_shows_first_and_then_does_the_same(shell: Shell) -> None:
    for number in (1, 2, 3):
        put(shell.store, f"v{number}", {"a": b"%d" % number})
    age(shell.url, timedelta(days=2))
    Registry(shell.store).activate("m", "v1")

    planned = shell.json("models", "prune", "--keep", "1", "--dry-run")
    assert names(shell.store) == {"v1", "v2", "v3"}
    done = shell.json("models", "prune", "--keep", "1")

    assert planned | {"dry_run": False} == done
    assert (done["removed"], done["freed_bytes"]) == (["v2"], 1)
    assert done["kept"] == {"v1": "named by production", "v3": "among the newest"}
    assert names(shell.store) == {"v1", "v3"}


def test_prune_forgets_instances_that_were_lost(shell: Shell) -> None:
    put(shell.store, "v1", {"a": b"1"})
    lost, live = "fleet/m/production/lost.json", "fleet/m/production/live.json"
    shell.store.overwrite(lost, b"{}")
    age(shell.url, timedelta(days=8))
    shell.store.overwrite(live, b"{}")

    planned = shell.json("models", "prune", "--keep", "1", "--dry-run")
    assert planned["lost_heartbeats"] == [lost]
    assert shell.store.head(lost).key == lost
    assert shell.json("models", "prune", "--keep", "1")["lost_heartbeats"] == [lost]
    assert [info.key for info in shell.store.scan("fleet/")] == [live]


def test_new_keys_sign_from_a_flag_the_environment_or_the_file(shell: Shell) -> None:
    made = shell.json("keys", "new", "--out", "release.key")
    key_file = shell.folder / "release.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert made["public_key"] == str(SigningKey.load(key_file).public)
    assert shell.type("keys", "public", "release.key").stdout.strip() == made["public_key"]
    assert shell.type("keys", "new", "--out", "release.key").returncode == Exit.FAILED

    registry = Registry(shell.store)
    for name in ("v1", "v2", "v3"):
        put(shell.store, name, {"a": name.encode()})
    for version in registry.versions("m"):
        registry_with_key(shell, key_file).notary.sign_version(shell.store, version)

    shell.json("activate", "v1", "--no-wait", "--sign", "release.key")
    shell.json("activate", "v2", "--no-wait", POINTSMAN_SIGNING_KEY=str(key_file))
    with (shell.folder / "pointsman.toml").open("a") as file:
        file.write('signing_key = "release.key"\n')
    shell.json("activate", "v3", "--no-wait")
    channel = registry.channel("m", "production")
    assert channel.generation == 3
    assert channel.signed is not None
    assert channel.signed.key == made["id"]


def test_a_key_that_everybody_can_read_is_warned_of(shell: Shell) -> None:
    put(shell.store, "v1", {"a": b"1"})
    key_file = shell.folder / "release.key"
    SigningKey.generate().save(key_file)
    key_file.chmod(0o644)
    told = shell.type("models", "verify", "v1", POINTSMAN_SIGNING_KEY="release.key").stderr
    assert f"! everybody on this machine can read {key_file}: chmod 600 {key_file}" in told
    key_file.chmod(0o600)
    told = shell.type("models", "verify", "v1", POINTSMAN_SIGNING_KEY="release.key").stderr
    assert "chmod" not in told


def test_a_key_is_never_repeated_whatever_is_wrong_with_it(shell: Shell) -> None:
    put(shell.store, "v1", {"a": b"1"})
    SigningKey.generate().save(shell.folder / "release.key")
    pem = (shell.folder / "release.key").read_text()
    secret = pem.splitlines()[1]
    for given in (pem, secret):
        ended = shell.type("activate", "v1", "--no-wait", "--json", POINTSMAN_SIGNING_KEY=given)
        assert ended.returncode == Exit.USAGE
        assert secret not in ended.stdout + ended.stderr


def test_public_keys_in_the_file_are_demanded_before_anything_changes(shell: Shell) -> None:
    put(shell.store, "v1", {"a": b"1"})
    with (shell.folder / "pointsman.toml").open("a") as file:
        file.write(f'public_keys = ["{SigningKey.generate().public}"]\n')
    refused = shell.json("activate", "v1", "--no-wait", code=Exit.FAILED)
    assert "not signed by a trusted key" in refused["error"]
    found = shell.json("models", "verify", "--all", code=Exit.FAILED)
    assert [each["fault"] for each in found["damage"]] == ["untrusted"]
    assert list(shell.store.scan(keys.channels("m"))) == []


def registry_with_key(shell: Shell, key_file: Path) -> Registry:
    """Open the store as the key's owner."""
    from pointsman import registry as registries

    return registries.open(shell.url, signer=SigningKey.load(key_file))
