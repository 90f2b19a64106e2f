"""What would make a deployment to Railway fail, or go wrong later: found before anything changes.

`doctor --platform railway` shows all of it.
"""

import os
from collections.abc import Callable, Iterator

from pointsman import findings
from pointsman.errors import PointsmanError
from pointsman.findings import Finding
from pointsman_cli.platforms import variables
from pointsman_cli.platforms.base import Wanted
from pointsman_cli.platforms.railway import images, lint
from pointsman_cli.platforms.railway.api import regions, services
from pointsman_cli.platforms.railway.api.errors import NotYet
from pointsman_cli.platforms.railway.api.services import Address
from pointsman_cli.platforms.railway.session import Session
from pointsman_cli.units import counted, size

_OF_A_KEY = frozenset({"AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_ENDPOINT_URL"})
"""Variables that spoil a key they do not belong to."""
_LARGE_BYTES = 200_000_000
"""Uploads of about 250 MB were reported to fail; the limit is not documented."""


def check(session: Session, wanted: Wanted) -> list[Finding]:
    """Return what was found; what cannot be asked because of an error is left out."""
    found = list(_guarded("token", lambda: _token(session)))
    if not _failed(found):
        found += _guarded("service", lambda: _service(session))
    if "site" in vars(session):
        found += _guarded("railway.json", lambda: _settings(session))
    found += _guarded("image", lambda: _image(session, wanted))
    reached = not _failed(found)
    found += _guarded("variables", lambda: _variables(session, reached=reached))
    # What one check stumbles over, the next one may stumble over too.
    once: dict[str, Finding] = {}
    for each in found:
        once.setdefault(each.message, each)
    return list(once.values())


def _guarded(check: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Turn what is raised into one more finding."""
    try:
        yield from look()
    except PointsmanError as error:
        yield findings.error(check, error.message, error.hint)


def _failed(found: list[Finding]) -> bool:
    return any(each.severity is findings.Severity.ERROR for each in found)


def _token(session: Session) -> Iterator[Finding]:
    variable = session.client.token.variable
    yield findings.ok("token", f"{variable} holds {session.identity.sentence}")
    budget = session.client.budget
    if budget.limit and budget.is_small:
        yield findings.warning(
            "rate limit",
            f"{budget.remaining} of {budget.limit} requests are left for now",
            "A deployment takes 20 to 60; progress will be told less often.",
        )


def _service(session: Session) -> Iterator[Finding]:
    site = session.site
    if site.environment and site.environment.unmerged:
        yield findings.warning(
            "environment",
            f"{counted(site.environment.unmerged, 'edit')} in the dashboard of "
            f"{site.environment_name} wait to be deployed",
            "They are not deployed by this; look at them before somebody does.",
        )
    if site.address is None:
        yield findings.ok("service", f"{site.title} does not exist yet: it will be made")
        return
    try:
        yield _owner(session, site.address)
    except NotYet:
        yield findings.error(
            "service",
            f"the service of {site.title} is in other environments of the project, not in this one",
            'Give it a name of its own here: service = "…" in [railway], or in [env.NAME.railway].',
        )


def _owner(session: Session, address: Address) -> Finding:
    """Find out whether the service is ours; raises `NotYet` if the environment has none."""
    site, model = session.site, session.context.model
    given = services.variables(session.client, address)
    theirs = given.get("POINTSMAN_MODEL", "")
    runs = services.settings(session.client, address)["source"] or {}
    if theirs == model or not (theirs or given.keys() - {"PORT"} or any(runs.values())):
        return findings.ok("service", f"{site.title} is ours")
    what = f"serves model {theirs}" if theirs else "was not made by pointsman"
    return findings.error(
        "service",
        f"the name is taken: {site.title} {what}",
        'Choose another: service = "…" in [railway] of pointsman.toml.',
    )


def _settings(session: Session) -> Iterator[Finding]:
    path = session.context.project.native("railway.json")
    if path.is_file():
        yield findings.ok("railway.json", "every setting is known; Railway itself ignores the file")
    else:
        yield findings.warning(
            "railway.json",
            f"there is no {path}: /health is asked for 300 s, 30 s are for draining",
            "Write one to have other settings.",
        )
    if path.with_suffix(".toml").is_file():
        yield findings.warning(
            "railway.toml", "railway.toml is not read", "Put its settings into railway.json."
        )
    plan = session.site.project.plan if session.site.project else ""
    yield from lint.findings_of(session.settings, plan)
    if wanted := session.settings.regions:
        there = regions.names(
            session.client, session.site.project.id if session.site.project else ""
        )
        for region in sorted(wanted - there):
            yield findings.error(
                "railway.json",
                f"Railway has no region {region}",
                f"There is: {', '.join(sorted(there))}.",
            )


def _image(session: Session, wanted: Wanted) -> Iterator[Finding]:
    if wanted.image:
        image = images.checked(wanted.image)
        private = images.credentials(os.environ)
        plan = session.site.project.plan if session.site.project else ""
        if private and plan not in {"", "pro"}:
            yield findings.error(
                "image",
                f"registry credentials need Railway's Pro plan, and this is {plan}",
                "Make the image public, or leave out --image: then the source is built there.",
            )
        yield findings.ok("image", f"{image} will be run; it has to be for linux/amd64")
        return
    yield from _source(session)


def _source(session: Session) -> Iterator[Finding]:
    root, dockerfile = session.context.project.directory, session.settings.build.dockerfile_path
    if not (root / dockerfile).is_file():
        yield findings.error(
            "image",
            f"there is no {root / dockerfile} to build",
            "`pointsman init` writes one; or name an image that exists with --image.",
        )
        return
    selection = session.selection
    for name in selection.secrets:
        yield findings.error(
            "upload",
            f"{name} would be uploaded, and such files hold secrets",
            f"Add the line `{name}` to .dockerignore; its values belong into variables.",
        )
    for name in selection.outside:
        yield findings.warning("upload", f"{name} leads out of the folder: it is left out", "")
    files = f"{counted(len(selection.files), 'file')}, {size(selection.size)}"
    if selection.size > _LARGE_BYTES:
        worst = ", ".join(f"{each.name} ({size(each.size)})" for each in selection.largest[:3])
        yield findings.warning(
            "upload",
            f"{files} are a lot to upload: {worst}",
            "Railway may refuse it; name what the image does not need in .dockerignore.",
        )
    else:
        yield findings.ok("upload", f"{files} would be uploaded and built from {dockerfile}")


def _variables(session: Session, *, reached: bool) -> Iterator[Finding]:
    present: set[str] = set()
    if reached and session.site.address:
        present = set(services.variables(session.client, session.site.address))
    told = session.variables.all()
    yield from variables.check(session.context, session.variables, present)
    if "AWS_ACCESS_KEY_ID" in told:
        for name in sorted((present & _OF_A_KEY) - told.keys()):
            yield findings.warning(
                "credentials",
                f"{name} is set at Railway, and would be used with the new key",
                "Remove it in the dashboard, unless you put it there.",
            )
