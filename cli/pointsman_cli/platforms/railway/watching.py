"""Following one deployment until it is over: always by its id, never "the latest".

The status is the truth, asked as often as the budget of requests allows; the steps are told as
they come, and losing sight of them is no failure.
"""

from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep

from pointsman_cli.errors import Unverified
from pointsman_cli.output import Output
from pointsman_cli.platforms.railway import progress
from pointsman_cli.platforms.railway.api import deployments
from pointsman_cli.platforms.railway.api.client import Client
from pointsman_cli.platforms.railway.api.errors import RailwayError
from pointsman_cli.platforms.railway.outcomes import Outcome, outcome, waiting

BUILD_SECONDS = 1800.0
"""How long queueing and building may take, before the health check begins."""
_QUEUES = frozenset({"QUEUED", "WAITING"})
_LOOKS_IN_QUEUE = 2
_LOOK_AGAIN = "It goes on at Railway: `pointsman status --platform railway` shows how it ends."


class Watch:
    """One deployment, seen through one client."""

    def __init__(self, client: Client, output: Output, deployment: str) -> None:
        self._client = client
        self._output = output
        self._deployment = deployment
        self._told: set[str] = set()
        self._queues = 0

    def until_over(self, seconds: float) -> str:
        """Return the status it ended with; raises `Unverified` when it has not after `seconds`."""
        deadline = monotonic() + seconds
        if self._client.budget.is_small:
            self._output.step("Railway's rate limit is nearly used up: looking less often")
        with self._output.waiting("waiting for Railway") as update:
            looks = 0
            while True:
                status = self._status()
                if outcome(status) is not Outcome.WAIT:
                    self._tell(update)
                    return status
                update(waiting(status))
                self._queued(status)
                self._tell(update)
                remaining = deadline - monotonic()
                if remaining <= 0:
                    raise self._late(status, seconds)
                sleep(min(remaining, self._client.budget.pause(looks)))
                looks += 1

    def _status(self) -> str:
        try:
            return deployments.status(self._client, self._deployment)
        except RailwayError as error:
            raise Unverified(
                f"how deployment {self._deployment} goes on cannot be seen: {error.message}",
                _LOOK_AGAIN,
            ) from error

    def _queued(self, status: str) -> None:
        """Say once that there is a queue, where that lasts for longer than one look."""
        if status in _QUEUES:
            self._queues += 1
            if self._queues == _LOOKS_IN_QUEUE:
                self._output.step(waiting(status))

    def _tell(self, update: Callable[[str], None]) -> None:
        """Tell of steps that began since; the last one stays on display."""
        steps = []
        with suppress(RailwayError):
            steps = deployments.steps(self._client, self._deployment)
        for step in steps:
            if not step.skipped and step.step not in self._told:
                self._told.add(step.step)
                self._output.step(self._client.secrets.concealed(progress.sentence(step)))
        if going_on := progress.current(steps):
            update(self._client.secrets.concealed(progress.sentence(going_on)))

    def _late(self, status: str, seconds: float) -> Unverified:
        return Unverified(
            f"deployment {self._deployment} is {status} after {seconds / 60:.0f} min",
            _LOOK_AGAIN,
        )
