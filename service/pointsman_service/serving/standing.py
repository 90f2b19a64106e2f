"""Where each role's version stands: in memory, refused, or still to be loaded."""

import logging

from pointsman.channel import Channel, Pointer
from pointsman.errors import PointsmanError, StoreError
from pointsman_service.serving import policy, refusal, roles
from pointsman_service.serving.counters import Counters
from pointsman_service.serving.policy import Action
from pointsman_service.serving.refusal import Refusal
from pointsman_service.serving.residents import Residents
from pointsman_service.serving.roles import Role
from pointsman_service.serving.room import Overtaken

log = logging.getLogger(__name__)


class Standing:
    """What was refused, and what follows from it and the residents."""

    def __init__(self, residents: Residents, counters: Counters) -> None:
        self._residents = residents
        self._counters = counters
        self.refusals: dict[Role, Refusal] = {}
        self.trouble = ""
        """What is in the way at present, and may pass."""

    def next(self, channel: Channel, role: Role) -> Action:
        """Tell what to do about a role."""
        pointer = roles.wanted(channel).get(role)
        if pointer is None:
            return Action.STAY
        found = self.refusals.get(role)
        refused = found is not None and found.holds(channel.generation, pointer)
        return policy.decide(pointer.digest, self._residents.ready, refused=refused)

    def missing(self, channel: Channel) -> list[Role]:
        """Return the roles whose version has to be loaded, or tried again."""
        return [role for role in roles.wanted(channel) if self.next(channel, role) is Action.LOAD]

    def needed(self, channel: Channel) -> set[str]:
        """Return the digests of what the channel wants, and nobody refused."""
        return {
            pointer.digest
            for role, pointer in roles.wanted(channel).items()
            if self.next(channel, role) is not Action.STAY
        }

    def dealt_with(self, channel: Channel, observed_generation: int) -> bool:
        """Tell whether all that the channel's last change is about is served or refused."""
        return all(
            self._dealt_with(channel, role) for role in roles.awaited(channel, observed_generation)
        )

    def forget_beside(self, channel: Channel) -> None:
        """Forget refusals of a canary and a shadow that are gone, or are here after all."""
        present = roles.wanted(channel)
        for role in roles.BESIDE:
            if role not in present or present[role].digest in self._residents.ready:
                self.refusals.pop(role, None)

    def failed(
        self, pointer: Pointer, error: BaseException, generation: int, role: Role | None
    ) -> None:
        """Note why a version was not loaded, which now has `role`, or none any longer."""
        if isinstance(error, StoreError):
            self._postpone(f"{pointer.version} cannot be fetched: {error}")
            return
        if isinstance(error, Overtaken):
            log.info("%s", error)
            return
        if not isinstance(error, PointsmanError | OSError):  # it must not take the process down
            log.error("loading %s failed", pointer.version, exc_info=error)
        if role is None:
            self._counters.failed_loads += 1
        else:
            self.refuse(role, refusal.because(generation, pointer, error))

    def refuse(self, role: Role, refused: Refusal) -> None:
        """Note that a version must not serve here."""
        log.error("%s refused: %s", refused.pointer.version, refused.reason)
        self._counters.failed_loads += 1
        self.trouble = ""
        self.refusals[role] = refused

    def _postpone(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble

    def _dealt_with(self, channel: Channel, role: Role) -> bool:
        pointer, refused = roles.wanted(channel)[role], self.refusals.get(role)
        if refused is not None and refused.concerns(channel.generation, pointer):
            return True
        return pointer.digest in self._residents.ready
