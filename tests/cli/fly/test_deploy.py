"""`deploy --platform fly`, from nothing to a proven release: machines are real processes here."""

from tests.cli.fly.bench import APP, DIGESTS, RUNTIME_SECRET, Bench
from tests.cli.fly.conftest import Project
from tests.cli.workspace import MODEL, until

FLY = ("-p", "fly")


def test_a_deployment_is_made_proven_replaced_taken_back_and_ended(
    serving: Project, bench: Bench
) -> None:
    first = serving.json("deploy", *FLY, "--image", "digits:one")
    assert (first["verdict"], first["platform"], first["name"]) == ("verified", "fly", APP)
    assert (first["version"], first["golden_rows"], first["release"]) == ("v1", 3, "1")
    assert first["image"] == f"registry.fly.io/{APP}:one@{DIGESTS['one']}"
    assert [each["state"] for each in first["machines"]] == ["started, 1 of 1 checks passing"] * 2
    assert bench.commands() == ["apps create", "deploy push", "secrets import", "deploy"]

    said = serving.deploy("two")
    assert "serves v1 (generation 1)" in said
    assert bench.tags() == ["two", "two"]
    assert bench.commands()[4:] == ["deploy push", "secrets import", "deploy"]

    status = serving.json("status", *FLY)
    assert status["deployment"]["release"] == "2"
    until(lambda: len(serving.json("status", *FLY)["instances"]) == 2, "the old ones are gone")

    back = serving.json("rollback", "--image", *FLY)
    assert (back["verdict"], back["release"]) == ("verified", "3")
    assert back["image"] == f"registry.fly.io/{APP}:one@{DIGESTS['one']}"
    assert bench.tags() == ["one", "one"]
    there = serving.run("rollback", "--image", "--dry-run", *FLY).out
    assert f"run registry.fly.io/{APP}:two" in there
    nowhere = serving.json("rollback", "--image", "--to", "v99", *FLY, code=1)
    assert nowhere["error"] == f"{APP} has no release v99 to go back to"
    assert "There is: v3, v2, v1." in nowhere["hint"]
    again = serving.json("rollback", "--image", "--to", "v1", *FLY)
    assert (again["verdict"], again["release"]) == ("verified", "3")

    lines = serving.json("logs", *FLY, "--lines", "200")["lines"]
    assert any("serving v1 (generation 1)" in line for line in lines)

    assert serving.json("destroy", *FLY, "--yes")["destroyed"] is True
    assert serving.json("destroy", *FLY, "--yes")["destroyed"] is False


def test_the_file_that_init_writes_is_released_as_it_is(serving: Project, bench: Bench) -> None:
    serving.fly_toml.unlink()
    serving.run("init", MODEL, *FLY)
    serving.rewrite(f'app = "{MODEL}"', f'app = "{APP}"')
    assert serving.json("deploy", *FLY, "--image", "digits:one")["verdict"] == "verified"


def test_a_service_that_ends_at_once_fails_in_seconds_with_its_own_words(
    serving: Project, bench: Bench
) -> None:
    serving.deploy("one")
    before = [each["id"] for each in bench.machines]
    serving.rewrite("[http_service]\n", '[env]\n  POINTSMAN_THREADS = "many"\n\n[http_service]\n')
    failed = serving.json("deploy", *FLY, "--image", "digits:two", code=10)
    assert failed["verdict"] == "failed"
    assert failed["error"].endswith("ended with exit code 2: POINTSMAN_THREADS cannot be 'many'")
    assert failed["hint"] == "Release 1 goes on serving on all its machines."
    assert any("POINTSMAN_THREADS" in line for line in failed["log"])
    assert [each["id"] for each in bench.machines] == before
    assert bench.releases()[0] == (2, "interrupted", "two")
    (serving.folder / "request.json").write_text('{"inputs": [[1, 2, 3, 4]]}')
    url = serving.json("status", *FLY)["deployment"]["url"]
    predicted = serving.json("predict", "request.json", "--url", url)
    assert predicted["outputs"] == {"y": [[2.0, 4.0, 6.0, 8.0]]}


def test_the_service_gets_the_runtimes_key_and_none_of_the_operators(
    project: Project, bench: Bench
) -> None:
    bench.turn(checks=["critical"], crash={"exit_code": 1})
    project.deploy(code=10)
    env = bench.machines[0]["config"]["env"]
    assert (env["POINTSMAN_MODEL"], env["POINTSMAN_PLATFORM"]) == (MODEL, "fly")
    assert bench.app["secrets"] == {
        "AWS_ACCESS_KEY_ID": "runtime-key",
        "AWS_SECRET_ACCESS_KEY": RUNTIME_SECRET,
    }
    assert RUNTIME_SECRET not in str(env)
    assert not any(RUNTIME_SECRET in str(each["arguments"]) for each in bench.calls)
