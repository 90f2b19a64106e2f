"""The files a project begins with: written beside each other, and never over what is there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path

from pointsman.names import model_name

_TEMPLATES = Path(__file__).with_name("templates")
_PLATFORM_FILES = {"fly": {"fly.toml": "fly.toml"}, "railway": {"railway.json": "railway.json"}}
_IMAGE_FILES = {"Dockerfile": "Dockerfile", "dockerignore": ".dockerignore"}
_PUBLISHING = {"github/publish.yml": ".github/workflows/publish.yml"}
_DEPLOYING = {"github/deploy.yml": ".github/workflows/deploy.yml"}
_STORE_SECRETS = {
    "AWS_ACCESS_KEY_ID": "of the publisher, who also reads what serves",
    "AWS_SECRET_ACCESS_KEY": "",
    "POINTSMAN_RUNTIME_ACCESS_KEY_ID": "of the service, which reads models and reports",
    "POINTSMAN_RUNTIME_SECRET_ACCESS_KEY": "",
}
_PLATFORM_SECRETS = {
    "fly": {"FLY_API_TOKEN": "`fly tokens create deploy`"},
    "railway": {"RAILWAY_TOKEN": "a project token, of the project's settings"},
    "kubernetes": {"KUBECONFIG_FILE": "the content of a kubeconfig"},
}
_FLYCTL = """\
      - uses: superfly/flyctl-actions/setup-flyctl@fc53c09e1bc3be6f54706524e3b82c4f462f77be # 1.5
"""
_LOGIN = """\
      - uses: docker/login-action@74a5d142397b4f367a81961eba4e8cd7edddf772 # v3.4.0
        with:
          registry: ghcr.io
          username: ${{ github.actor }}
          password: ${{ secrets.GITHUB_TOKEN }}
      - run: |
          install -m 600 /dev/null "$RUNNER_TEMP/kubeconfig"
          printf '%s' "$KUBECONFIG_FILE" > "$RUNNER_TEMP/kubeconfig"
          echo "KUBECONFIG=$RUNNER_TEMP/kubeconfig" >> "$GITHUB_ENV"
        env:
          KUBECONFIG_FILE: ${{ secrets.KUBECONFIG_FILE }}
"""
_PLATFORM_STEPS = {"fly": _FLYCTL, "kubernetes": _LOGIN}
_APP = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Project:
    """A project that is to begin in a folder."""

    directory: Path
    model: str
    platform: str
    workflows: bool = False

    @property
    def deploys_from_github(self) -> bool:
        """Whether a workflow deploys it: on `local` that would start it on GitHub's own machine."""
        return self.workflows and self.platform != "local"


@dataclass(slots=True)
class Written:
    """Which files were written, and which were there and stay as they are."""

    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def suggested_model(directory: Path) -> str:
    """Return a model's name made of a folder's; raises `InvalidName` where none can be made."""
    return model_name(re.sub(r"[^A-Za-z0-9._-]+", "-", directory.resolve().name).strip("-._"))


def files(project: Project) -> dict[str, str]:
    """Return the text of every file by its name."""
    chosen = {"pointsman.toml": "pointsman.toml", "gitignore": ".gitignore"} | _IMAGE_FILES
    chosen |= _PLATFORM_FILES.get(project.platform, {})
    if project.workflows:
        chosen |= _PUBLISHING
    if project.deploys_from_github:
        chosen |= _DEPLOYING
    return {name: _filled(template, project) for template, name in chosen.items()}


def write(project: Project) -> Written:
    """Write what is not there yet; a `.gitignore` that is there gets what it lacks."""
    result = Written()
    for name, text in files(project).items():
        path = project.directory / name
        if name == ".gitignore" and path.exists():
            done = _ignored(path, text)
        elif path.exists():
            done = False
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            done = True
        (result.written if done else result.kept).append(name)
    return result


def _ignored(path: Path, text: str) -> bool:
    """Add the rules to a `.gitignore`; False when they are there."""
    before = path.read_text(encoding="utf-8")
    rules = [line for line in text.splitlines() if not line.startswith("#")]
    if set(rules) <= set(before.splitlines()):
        return False
    path.write_text(f"{before.rstrip()}\n\n{text}".lstrip(), encoding="utf-8")
    return True


def _filled(template: str, project: Project) -> str:
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    for mark, value in _words(project):
        text = text.replace(f"@{mark}@", value)
    for mark, lines in _blocks(project):
        text = text.replace(f"@{mark}@\n", lines)
    return text


def _words(project: Project) -> Iterator[tuple[str, str]]:
    yield "MODEL", project.model
    yield "APP", _APP.sub("-", project.model.lower()).strip("-") or "pointsman"
    yield "PLATFORM", project.platform
    yield "VERSION", installed("pointsman-cli")


def _blocks(project: Project) -> Iterator[tuple[str, str]]:
    """Yield what stands for a whole line, and may be many or none."""
    secrets = _PLATFORM_SECRETS.get(project.platform, {}) | _STORE_SECRETS
    yield "SECRETS", "".join(_listed(secrets))
    handed = {name: what for name, what in secrets.items() if name != "KUBECONFIG_FILE"}
    yield (
        "ENVIRONMENT",
        "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in handed),
    )
    yield "STEPS", _PLATFORM_STEPS.get(project.platform, "")
    yield "PERMISSIONS", "  packages: write\n" if project.platform == "kubernetes" else ""


def _listed(secrets: Mapping[str, str]) -> Iterator[str]:
    for name, what in secrets.items():
        yield f"#   {name:<36}{what}".rstrip() + "\n"
