"""What is uploaded: what the ignore files leave, never what holds secrets."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from pointsman_cli.images import source
from pointsman_cli.platforms.railway.archive import packed
from pointsman_cli.platforms.railway.selection import select


def tree(root: Path, *names: str, **contents: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def chosen(root: Path, dockerfile: str = "Dockerfile") -> list[str]:
    return [file.name for file in select(root, dockerfile).files]


def test_dockerignore_counts_from_the_root_and_its_last_rule_wins(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "a.lock", "service/app.py", "service/x.pyc", "models/m.onnx")
    tree(tmp_path, "deep/a.lock", "service/cache/x.py")
    (tmp_path / ".dockerignore").write_text(
        "# only these\n*\n!a.lock\n!service\n**/*.pyc\nservice/cache\n"
    )
    # Docker itself needs the Dockerfile and the rules, whatever they say.
    assert chosen(tmp_path) == [".dockerignore", "Dockerfile", "a.lock", "service/app.py"]


def test_a_dockerfiles_own_ignore_file_takes_the_place_of_the_common_one(tmp_path: Path) -> None:
    tree(tmp_path, "service.Dockerfile", "a", "b")
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "service.Dockerfile.dockerignore").write_text("b\n")
    assert "a" in chosen(tmp_path, "service.Dockerfile")
    assert "b" not in chosen(tmp_path, "service.Dockerfile")


def test_gitignore_counts_at_every_level_and_the_nearest_decides(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "a.log", "keep/a.log", "keep/b.log", "out/x", "sub/out/y")
    (tmp_path / ".gitignore").write_text("*.log\n/out/\n")
    (tmp_path / "keep" / ".gitignore").write_text("!a.log\n")
    assert chosen(tmp_path) == [
        ".gitignore", "Dockerfile", "keep/.gitignore", "keep/a.log", "sub/out/y",
    ]  # fmt: skip


def test_railwayignore_counts_too(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "data/x", "y")
    (tmp_path / ".railwayignore").write_text("data\n")
    assert chosen(tmp_path) == [".railwayignore", "Dockerfile", "y"]


def test_history_state_and_packages_of_node_are_never_sent(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", ".git/config", "node_modules/a/b.js", ".pointsman/store/x")
    assert chosen(tmp_path) == ["Dockerfile"]


@pytest.mark.parametrize("name", [".env", ".env.production", "deep/.ENV", ".envrc"])
def test_files_of_environments_are_refused_not_sent(tmp_path: Path, name: str) -> None:
    tree(tmp_path, "Dockerfile", name)
    selection = select(tmp_path, "Dockerfile")
    assert [file.name for file in selection.files] == ["Dockerfile"]
    assert selection.secrets == (name,)


def test_an_ignored_file_of_an_environment_is_nobodys_business(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", ".env")
    (tmp_path / ".dockerignore").write_text("**/.env*\n")
    assert select(tmp_path, "Dockerfile").secrets == ()


def test_a_key_that_signs_is_refused_under_any_name_and_through_a_link(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "signing.pem")
    (tmp_path / "harmless").symlink_to("signing.pem")
    selection = select(tmp_path, "Dockerfile", [tmp_path / "signing.pem"])
    assert selection.secrets == ("harmless", "signing.pem")
    assert [file.name for file in selection.files] == ["Dockerfile"]


def test_what_leads_out_of_the_folder_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path, "elsewhere/passwords", "folder/Dockerfile")
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "elsewhere" / "passwords")
    (tmp_path / "folder" / "env").symlink_to(".env")
    (tmp_path / "folder" / ".env").write_text("x")
    selection = select(tmp_path / "folder", "Dockerfile")
    assert selection.outside == ("link",)
    assert selection.secrets == (".env", "env")


def test_the_largest_files_come_first(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile")
    for size in range(12):
        (tmp_path / f"f{size}").write_bytes(b"x" * size * 100)
    selection = select(tmp_path, "Dockerfile")
    assert [file.name for file in selection.largest[:2]] == ["f11", "f10"]
    assert len(selection.largest) == 10
    assert selection.size == sum(range(12)) * 100 + len("Dockerfile")


def test_an_archive_is_a_gzipped_tar_that_says_nothing_of_who_packed_it(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "run.sh")
    (tmp_path / "run.sh").chmod(0o750)
    os.link(tmp_path / "run.sh", tmp_path / "same.sh")
    files = select(tmp_path, "Dockerfile").files
    with packed(files) as path:
        first = path.read_bytes()
    os.utime(tmp_path / "Dockerfile", (1, 1))
    with packed(files) as path:
        assert path.read_bytes() == first
    assert not path.exists()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(first))) as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == ["./Dockerfile", "./run.sh", "./same.sh"]
        assert {(m.uid, m.gid, m.uname, m.mtime) for m in members} == {(0, 0, "", 0)}
        assert [oct(member.mode) for member in members] == ["0o644", "0o755", "0o755"]
        assert all(tar.extractfile(member).read() for member in members)  # type: ignore[union-attr]


def test_what_the_command_brings_along_completes_a_project_and_replaces_nothing(
    tmp_path: Path,
) -> None:
    tree(tmp_path, "Dockerfile", "service/pointsman_service/app.py")
    (tmp_path / "elsewhere").write_text("x")
    brought = [
        ("service/pointsman_service/app.py", tmp_path / "elsewhere"),
        ("registry/pointsman/a.py", tmp_path / "elsewhere"),
    ]
    (tmp_path / ".dockerignore").write_text("elsewhere\n")
    files = {
        file.name: file.path for file in select(tmp_path, "Dockerfile").completed(brought).files
    }
    assert files["registry/pointsman/a.py"] == tmp_path / "elsewhere"
    own = "service/pointsman_service/app.py"
    assert files[own] == tmp_path / own


def test_the_service_s_own_code_is_brought_along_without_what_python_made_of_it() -> None:
    names = [name for name, _ in source.brought()]
    assert {"registry/pointsman/registry.py", source.LOCK} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
