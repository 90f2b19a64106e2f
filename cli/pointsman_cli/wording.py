"""What a move of a channel is called by people: one set of words for each kind of move."""

from dataclasses import dataclass

from pointsman.channel import ABORT, ROLLBACK, SET, SHADOW, START, Canary, Channel


@dataclass(frozen=True, slots=True)
class Words:
    """How a move is told.

    `subject` is what the fleet gets to serve (`v3 at 5 %`), `state` how the channel then is
    (`names v2`), `was` what was before, if that was another, and `way_back` what undoes it.
    """

    subject: str
    state: str
    was: str = ""
    way_back: str = ""

    @property
    def would(self) -> str:
        """How the channel would be after a move that was not made: `would name v2`."""
        verb, _, rest = self.state.partition(" ")
        return f"would {_INFINITIVES[verb]} {rest}"

    @property
    def past(self) -> str:
        """How the channel was before a move that changed nothing: `named v1`."""
        verb, _, rest = self.state.partition(" ")
        return f"{_PAST[verb]} {rest}"


def words(action: str, before: Channel | None, after: Channel) -> Words:
    """Return the words for a move from one state of a channel to another."""
    if action in {START, SET} and after.canary:
        return _of_canary(action, before, after.canary)
    if action == SHADOW:
        return _of_shadow(before, after)
    return _of_stable(action, before, after.stable.version)


def shared(canary: Canary) -> str:
    """Render `v3 at 5 %`."""
    return f"{canary.version} at {canary.weight} %"


def _of_canary(action: str, before: Channel | None, canary: Canary) -> Words:
    was = ""
    if before and action == START:
        was = f"stable {before.stable.version}"
    elif before and before.canary and before.canary.weight != canary.weight:
        was = f"was {before.canary.weight} %"
    return Words(
        shared(canary),
        f"gives {canary.version} {canary.weight} % of the requests",
        was,
        ", `pointsman rollout abort` ends it",
    )


def _of_shadow(before: Channel | None, after: Channel) -> Words:
    earlier = before.shadow if before else None
    was = f"was {earlier.version} for {earlier.percent} %" if earlier else ""
    now = after.shadow
    if now is None:
        return Words("no shadow", "has no shadow", was)
    return Words(
        f"the shadow {now.version} for {now.percent} %",
        f"lets {now.version} compute along for {now.percent} % of the requests",
        was,
        ", `pointsman rollout shadow --off` ends it",
    )


def _of_stable(action: str, before: Channel | None, version: str) -> Words:
    was = way_back = ""
    if before and action == ABORT and before.canary:
        canary = before.canary
        was = f"was {shared(canary)}"
        begin = f"pointsman rollout start {canary.version} --weight {canary.weight}"
        way_back = f", `{begin}` begins again"
    elif before:
        origin = before.stable.version
        was = f"was {origin}" if origin != version else ""
        # Rolling back a rollback would go further into the past.
        back = f"activate {origin}" if action == ROLLBACK else "rollback"
        way_back = f", `pointsman {back}` {'returns' if action == ROLLBACK else 'goes back'}"
    return Words(version, f"names {version}", was, way_back)


_INFINITIVES = {"names": "name", "gives": "give", "lets": "let", "has": "have"}
_PAST = {"names": "named", "gives": "gave", "lets": "let", "has": "had"}
