"""How Railway's steps read while they happen."""

from pointsman_cli.platforms.railway.api.deployments import Step

_WORDS = {
    "SNAPSHOT_CODE": "storing the source",
    "BUILD_IMAGE": "building the image",
    "PUBLISH_IMAGE": "publishing the image",
    "PRE_DEPLOY_COMMAND": "running the pre-deploy command",
    "WAIT_FOR_DEPENDENCIES": "waiting for what it depends on",
    "MIGRATE_VOLUMES": "moving volumes",
    "CREATE_CONTAINER": "starting the container",
    "HEALTHCHECK": "health check",
    "CONFIGURE_NETWORK": "switching the public address over",
    "DRAIN_INSTANCES": "draining the old release",
}


def sentence(step: Step) -> str:
    """Say what is being done, and for the health check which attempt it is."""
    words = _WORDS.get(step.step, step.step.lower().replace("_", " "))
    if step.attempt and step.max_attempts:
        words += f", attempt {step.attempt} of {step.max_attempts}"
    if step.detail and not step.error:
        words += f": {step.detail}"
    return words


def current(steps: list[Step]) -> Step | None:
    """Return the step that is being done, or else the last one; None before the first."""
    counted = [step for step in steps if not step.skipped]
    going_on = [step for step in counted if not step.completed_at]
    latest = going_on or counted
    return latest[-1] if latest else None
