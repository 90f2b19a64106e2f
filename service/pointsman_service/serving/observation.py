"""What is looked at once a request was answered: its outputs, and whether a shadow sees it too."""

from pointsman_service.serving.job import Job
from pointsman_service.serving.router import Router
from pointsman_service.serving.shadow_mirror import Mirror


class Observation:
    """Sees every answer; most of the time that is two comparisons."""

    def __init__(self, router: Router, mirror: Mirror) -> None:
        self._router = router
        self._mirror = mirror

    def answered(self, job: Job) -> None:
        """See a job whose answer is on its way."""
        servable = job.servable
        if job.computed >= servable.looks.due:
            servable.looks.answered(job.computed, job.feed, job.outputs)
        if self._mirror.servable is not None and servable is self._router.stable:
            self._mirror.offer(job.feed, job.outputs)
