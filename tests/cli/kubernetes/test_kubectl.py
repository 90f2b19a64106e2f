"""Every command that kubectl is given, and what it reads, compared whole with files."""

import os
from pathlib import Path

from pointsman_cli.platforms.kubernetes import manifests
from pointsman_cli.platforms.kubernetes.kubectl import Kubectl
from tests.cli.kubernetes.releases import release

GOLDEN = Path(__file__).parent / "golden"
HUSH = "hush-hush"


def compare(name: str, text: str) -> None:
    """Compare with a golden file; WRITE_GOLDEN=write makes it anew."""
    path = GOLDEN / name
    if os.environ.get("WRITE_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text()


def commands(kubectl: Kubectl) -> list[list[str]]:
    return [
        kubectl.versions(),
        kubectl.may("create", "deployments.apps"),
        kubectl.apply(),
        kubectl.observe(),
        kubectl.secrets(),
        kubectl.delete("secret/digits-0123456789"),
        kubectl.destroy(),
        kubectl.undo(),
        kubectl.undo(3),
        kubectl.logs(follow=False, lines=50),
        kubectl.logs(follow=True, lines=0),
        kubectl.last_words("digits-abc", previous=True),
        kubectl.last_words("digits-abc", previous=False),
        kubectl.proxy(),
    ]


def test_the_commands_are_those_that_were_agreed_on() -> None:
    lines = [" ".join(each) for each in commands(Kubectl("digits", "prod", "models"))]
    lines += [" ".join(Kubectl("digits").observe())]
    compare("argv.txt", "\n".join(lines) + "\n")


def test_what_is_applied_is_what_was_agreed_on() -> None:
    full = release(
        {"AWS_SECRET_ACCESS_KEY": HUSH},
        host="digits.example.com",
        ingress_class="nginx",
        tls_secret="digits-tls",  # noqa: S106 — a name
        image_pull_secret="registry",  # noqa: S106 — a name
    )
    text = manifests.text(manifests.public(manifests.objects(full)))
    assert HUSH not in text
    compare("applied.yaml", text)


def test_no_command_holds_a_secret() -> None:
    told = release({"AWS_SECRET_ACCESS_KEY": HUSH})
    assert not any(HUSH in word for each in commands(Kubectl(told.name)) for word in each)
