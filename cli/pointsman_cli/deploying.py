"""Deploying, on whatever platform: check, plan, release, prove, and go back if asked to.

The platform knows how a release is made; what counts as one that serves is decided here, the
same for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from pointsman.findings import Finding, Severity
from pointsman_cli import cost
from pointsman_cli.context import Context
from pointsman_cli.errors import CommandError, DeploymentFailed, Verdict
from pointsman_cli.moves import present
from pointsman_cli.platforms.base import Deployment, ImageFrom, Plan, Platform, Wanted
from pointsman_cli.platforms.discovery import platform
from pointsman_cli.units import counted, duration
from pointsman_cli.verification import Proof, verify


@dataclass(frozen=True, slots=True)
class Deploying:
    """One deployment on one platform."""

    context: Context
    platform: Platform
    wanted: Wanted
    """With the image by name: one that was named, or what it will be called."""
    make: bool = False
    """Whether the image is to be built, and pushed where the platform takes it from a registry."""

    @classmethod
    def of(cls, context: Context, platform: Platform, wanted: Wanted) -> Self:
        """Find out what the image will be called, if nobody named one."""
        taken_from = platform.image_from(wanted)
        if wanted.image or taken_from is ImageFrom.NOWHERE:
            return cls(context, platform, wanted)
        from pointsman_cli.images import making

        pushed = taken_from is ImageFrom.REGISTRY
        name = making.called(context, pushed=pushed)
        return cls(context, platform, replace(wanted, image=name), make=True)

    def check(self) -> None:
        """Raise `CommandError` for the first finding that would make it fail."""
        found = self.platform.check(self.wanted)
        errors = [finding for finding in found if finding.severity is Severity.ERROR]
        if errors:
            raise CommandError(
                errors[0].message, _remedies(errors), {"findings": _documents(found)}
            )
        for finding in found:
            if finding.severity is Severity.WARNING:
                self.context.output.warn(finding.message, finding.remediation)

    def show(self) -> None:
        """Say what would be done."""
        candidate = only_version(self.context)
        first = [f"activate {candidate}, the only version"] if candidate else []
        plan = self.platform.plan(self.wanted)
        if self.make:
            from pointsman_cli.images import making

            plan = replace(plan, image=making.described(self.context, self.wanted.image))
        output = self.context.output
        document, following = plan.document(), cost.expected(self.context)
        if following is not None:
            document |= {"following": following.document()}
        output.result({"dry_run": True} | document | {"plan": [*first, *plan.steps]})
        followed = [following.sentence()] if following else []
        output.data("\n".join([*first, *plan.steps, *_facts(plan), *followed]))
        if plan.manifest:
            output.data(plan.manifest)

    def carry_out(self) -> None:
        """Release it, prove that it serves, and say so."""
        context, output = self.context, self.context.output
        if candidate := only_version(context):
            _activate(context, candidate)
        deployment = self.platform.deploy(self._with_image())
        context.stands(
            f"The service runs at {deployment.url}; `pointsman deploy` proves it, "
            "`pointsman destroy` ends it.",
            **deployment.document(),
        )
        who = f"process {deployment.pid}" if deployment.pid else deployment.name
        output.step(f"{who} answers at {deployment.url}")
        proof = self._proof(deployment)
        verdict = {"verdict": Verdict.VERIFIED}
        output.result(deployment.document() | proof.document() | verdict)
        output.success(sentence(deployment, proof))
        output.data(deployment.url)

    def _with_image(self) -> Wanted:
        """Build and push the image, unless it was named; it is then pinned by its digest."""
        if not self.make:
            return self.wanted
        from pointsman_cli.images import making

        made = making.build(self.context)
        if self.platform.image_from(self.wanted) is ImageFrom.REGISTRY:
            made = making.push(self.context, made)
        return replace(self.wanted, image=made.reference)

    def _proof(self, deployment: Deployment) -> Proof:
        """Prove the release; one whose answers are wrong is taken back, if that was asked for."""
        try:
            with self.platform.reached(deployment) as ways:
                return verify(self.context, ways, self.wanted.timeout)
        except DeploymentFailed as failure:
            if not self.wanted.auto_rollback:
                raise
            self.context.output.warn(f"{failure.message}; going back to the previous image")
            try:
                back = self.platform.roll_back_image("", self.wanted.timeout)
            except CommandError as error:
                failure.hint = f"It was not taken back: {error.message}. {failure.hint}"
                raise failure from error
            raise DeploymentFailed(
                failure.message,
                f"{back.image or 'The previous image'} serves again.",
                back.document(),
            ) from failure


def go_back(context: Context, named: str | None, to: str, timeout: float, *, dry_run: bool) -> None:
    """Let a platform run the image that ran before, or `to`, and prove that it serves."""
    where = platform(named, context)
    name = f"{context.model}/{context.channel}"
    if dry_run:
        image = where.earlier_image(to)
        plan = f"let {name} on {context.platform(named)} run {image}"
        context.output.result({"dry_run": True, "plan": [plan], "image": image})
        context.output.data(plan)
        return
    deployment = where.roll_back_image(to, timeout)
    with where.reached(deployment) as ways:
        proof = verify(context, ways, timeout)
    verdict = {"verdict": Verdict.VERIFIED}
    context.output.result(deployment.document() | proof.document() | verdict)
    context.output.success(f"{sentence(deployment, proof)} · {deployment.image}")
    context.output.data(deployment.url)


def only_version(context: Context) -> str | None:
    """Return the version to activate because there is no other; None when one is active.

    Raises `CommandError` when nothing is active and there is no single candidate.
    """
    if present(context) is not None:
        return None
    names = [each.manifest.version for each in context.registry.versions(context.model)]
    if len(names) == 1:
        return names[0]
    raise CommandError(
        f"nothing is active in {context.model}/{context.channel}, and there are "
        f"{len(names)} versions to choose from",
        f"`pointsman activate VERSION --channel {context.channel}` with one of: "
        f"{', '.join(names[-5:])}.",
    )


def sentence(deployment: Deployment, proof: Proof) -> str:
    """Say what was proven, in one line."""
    facts = [
        f"{deployment.name} serves {proof.version} (generation {proof.generation})",
        f"verified in {duration(proof.seconds)}",
    ]
    if proof.golden_rows:
        facts.append(f"golden set reproduced ({counted(proof.golden_rows, 'row')})")
    return " · ".join(facts)


def _activate(context: Context, version: str) -> None:
    context.output.step(f"activating {version}, the only version")
    context.registry.activate(
        context.model, version, context.channel, why="first deployment", if_generation=0
    )
    context.stands(f"{version} is active; the service was not started.", activated=version)


def _facts(plan: Plan) -> list[str]:
    named = {"image": plan.image, "memory": plan.memory, "cost": plan.cost}
    return [f"{name}: {value}" for name, value in named.items() if value]


def _remedies(errors: Sequence[Finding]) -> str:
    """Say what to do about the first error, and name the others."""
    others = [f"Also: {_ended(each.message)} {each.remediation}" for each in errors[1:]]
    return "\n".join([errors[0].remediation, *others])


def _ended(sentence: str) -> str:
    """Return a sentence with its end, which may be a question mark already."""
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


def _documents(found: Sequence[Finding]) -> list[dict[str, str]]:
    import msgspec

    return [msgspec.to_builtins(finding) for finding in found]
