"""Whether machines are what was released, and well: looked at until they are, or time is up."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from pointsman_cli.errors import DeploymentFailed, Unverified
from pointsman_cli.output import Output
from pointsman_cli.platforms.fly import examination, machines
from pointsman_cli.platforms.fly.examination import Examination, Released
from pointsman_cli.platforms.fly.flyctl import FlyFailed
from pointsman_cli.platforms.fly.machines import FlyMachine
from pointsman_cli.platforms.fly.progress import Progress
from tests.cli.fly.bench import APP, DIGESTS
from tests.fakes.flyctl import machine as fake

RELEASED = Released(f"registry.fly.io/{APP}:one", DIGESTS["one"], 3)
PASSING = {"name": "servicecheck-00-http-8000", "status": "passing", "output": "ok"}


def machine(number: int = 1, **changes: Any) -> FlyMachine:
    image = {
        "registry": "registry.fly.io", "repository": APP, "tag": "one", "digest": DIGESTS["one"],
    }  # fmt: skip
    made = fake.made(number, 3, image, {}, "started")
    [found] = machines.decoded(json.dumps([made | {"checks": [PASSING]} | changes]))
    return found


class Script:
    """Fly as a list of answers, the last of which stays; what was woken is noted."""

    def __init__(self, *answers: Sequence[FlyMachine] | FlyFailed) -> None:
        self._answers = list(answers)
        self.woken: list[str] = []

    def listed(self) -> Sequence[FlyMachine]:
        """Answer the next question."""
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, FlyFailed):
            raise answer
        return answer

    def examine(self, timeout: float = 20.0) -> list[FlyMachine]:
        """Look until all is well; raises what the examination raises."""
        progress = Progress(Output(quiet=True), lambda _: None)
        examined = Examination(
            self.listed, lambda each: self.woken.append(each.id), progress, "fra"
        )
        return examined.carry_out(RELEASED, timeout)


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(examination, "_LOOK_SECONDS", 0.0)


def test_machines_that_are_well_pass_at_once_and_sleeping_ones_beside_them_too() -> None:
    assert len(Script([machine(), machine(2, state="stopped")]).examine(0)) == 2


def test_what_is_not_well_yet_is_looked_at_again() -> None:
    late = machine(checks=[PASSING | {"status": "critical"}])
    assert Script([machine(checks=[])], [late], [machine()]).examine()[0].well


def test_fly_that_does_not_answer_is_asked_again_and_no_failure() -> None:
    assert Script(FlyFailed("429", "", ""), [machine()]).examine()
    with pytest.raises(Unverified, match="Fly does not tell of its machines: 429"):
        Script(FlyFailed("429", "", "")).examine(0)


def test_one_machine_is_woken_where_all_sleep_and_no_second_while_it_starts() -> None:
    asleep = [machine(2, state="stopped", region="iad"), machine(1, state="suspended")]
    starting = [asleep[0], machine(1, state="starting")]
    script = Script(asleep, starting, starting, [asleep[0], machine(1)])
    script.examine()
    assert script.woken == [machine(1).id]


def test_a_program_that_ended_is_no_machine_that_sleeps() -> None:
    crashed = machine(state="stopped", events=[fake.ended(1), fake.event("update", "replacing")])
    with pytest.raises(DeploymentFailed, match="ended with exit code 1"):
        Script([machine(2), crashed]).examine()


def test_an_old_image_is_believed_only_when_it_is_seen_again() -> None:
    old = machine(image_ref={"repository": APP, "tag": "zero", "digest": "sha256:0"})
    assert Script([old], [old], [machine()]).examine()
    with pytest.raises(DeploymentFailed, match="and not what was released"):
        Script([old]).examine()


def test_another_release_and_no_machine_at_all_are_failures() -> None:
    with pytest.raises(DeploymentFailed, match="is of release 2, and not of 3"):
        Script([machine(config={"metadata": {"fly_release_version": "2"}})]).examine()
    with pytest.raises(DeploymentFailed, match="no machine was made"):
        Script([]).examine()


@pytest.mark.parametrize(
    ("image", "digest", "same"),
    [
        (f"registry.fly.io/{APP}:one", DIGESTS["one"], True),
        (f"registry.fly.io/{APP}:one", DIGESTS["two"], False),
        (f"registry.fly.io/{APP}:one", "", True),
        (f"registry.fly.io/{APP}:two", "", False),
        (f"registry.fly.io/{APP}:two@{DIGESTS['one']}", "", True),
        (f"{APP}:one", "", True),
        ("model:one", "", False),
    ],
)
def test_an_image_is_compared_by_digest_and_else_by_its_whole_name(
    image: str, digest: str, *, same: bool
) -> None:
    assert examination.has_image(machine(), image, digest) is same


def test_an_image_of_docker_hub_is_known_by_its_name_at_flys_mirror() -> None:
    mirrored = machine(
        image_ref={
            "registry": "docker-hub-mirror.fly.io", "repository": "me/digits", "tag": "latest",
        }
    )  # fmt: skip
    assert examination.has_image(mirrored, "docker.io/me/digits")
    assert examination.has_image(mirrored, "me/digits:latest")
    assert not examination.has_image(mirrored, "you/digits:latest")


def test_two_images_under_one_name_are_strangers() -> None:
    image = {"registry": "registry.fly.io", "repository": APP, "tag": "one", "digest": "sha256:2"}
    released = Released(f"registry.fly.io/{APP}:one")
    [wrong] = examination.strangers([machine(), machine(2, image_ref=image)], released)
    assert "2 different images under one name" in wrong
    assert examination.strangers([machine(), machine(2)], released) == []
