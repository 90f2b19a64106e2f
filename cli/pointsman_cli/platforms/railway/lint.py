"""What is wrong with settings that are well-formed: pure rules, each with its reason.

Facts: https://docs.railway.com/deployments/healthchecks, …/deployment-teardown, …/start-command,
…/reference/pricing/plans.
"""

from collections.abc import Iterator

from pointsman import findings
from pointsman.findings import Finding
from pointsman_cli.platforms.railway.plans import PLANS
from pointsman_cli.platforms.railway.settings import HEALTH_PATH, Deploy, Settings

DRAIN_SECONDS = 21.0
"""What the service takes to end in good order: its grace of 1 s and its drain time of 20 s."""
_SMALL_RETRIES = 10
_FEWEST_HEALTH_SECONDS = 60
_CHECK = "railway.json"


def findings_of(settings: Settings, plan: str) -> Iterator[Finding]:
    """Yield what does not work, or does harm one day; `plan` is "" where it is not known."""
    yield from _health(settings)
    yield from _ending(settings.deploy)
    yield from _start(settings.deploy)
    yield from _plan(settings, plan)


def _health(settings: Settings) -> Iterator[Finding]:
    path = settings.deploy.healthcheck_path
    if not path:
        yield findings.error(
            _CHECK,
            "deploy.healthcheckPath is missing: a release would get requests before it can answer",
            f'Write "healthcheckPath": "{HEALTH_PATH}".',
        )
    elif path.partition("?")[0] != HEALTH_PATH:
        yield findings.error(
            _CHECK,
            f"deploy.healthcheckPath is {path}, which is not where the service says it is ready",
            f'Write "healthcheckPath": "{HEALTH_PATH}".',
        )
    if settings.health_seconds < _FEWEST_HEALTH_SECONDS:
        yield findings.warning(
            _CHECK,
            f"deploy.healthcheckTimeout is {settings.health_seconds} s: the model has to be "
            "fetched and loaded within that time",
            "Railway's default is 300.",
        )


def _ending(deploy: Deploy) -> Iterator[Finding]:
    seconds = int(deploy.draining_seconds or 0)
    if seconds < DRAIN_SECONDS:
        yield findings.warning(
            _CHECK,
            f"deploy.drainingSeconds is {seconds}: requests in flight are cut off",
            f"The service takes up to {DRAIN_SECONDS:.0f} s to end; write 30.",
        )
    if not int(deploy.overlap_seconds or 0):
        yield findings.warning(
            _CHECK,
            "deploy.overlapSeconds is 0: the old release ends while requests are still sent to it",
            "Write 5.",
        )
    if deploy.sleep_application:
        yield findings.warning(
            _CHECK,
            "deploy.sleepApplication: looking for new versions keeps the service awake",
            "Leave it out.",
        )


def _start(deploy: Deploy) -> Iterator[Finding]:
    command = deploy.start_command
    if command and "$" in command and " -c " not in command:
        yield findings.error(
            _CHECK,
            "deploy.startCommand has a variable in it, and Railway starts it without a shell",
            "Leave it out: the image knows how to start, and reads PORT itself.",
        )


def _plan(settings: Settings, plan: str) -> Iterator[Finding]:
    if (known := PLANS.get(plan)) is None:
        return
    if settings.replicas > known.replicas:
        yield findings.error(
            _CHECK,
            f"{settings.replicas} replicas are more than the {plan} plan's {known.replicas}",
            "Ask for fewer, or change the plan.",
        )
    if known.small and settings.deploy.restart_policy_type == "ALWAYS":
        yield findings.error(
            _CHECK,
            f"deploy.restartPolicyType ALWAYS is not there on the {plan} plan",
            "Write ON_FAILURE.",
        )
    retries = settings.deploy.restart_policy_max_retries or 0
    if known.small and retries > _SMALL_RETRIES:
        yield findings.error(
            _CHECK,
            f"deploy.restartPolicyMaxRetries is {retries}; the {plan} plan has {_SMALL_RETRIES}",
            f"Write {_SMALL_RETRIES}.",
        )
