"""What is rendered: valid by Kubernetes' own schemas, safe by default, and the same every time."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from pointsman_cli.platforms.kubernetes import manifests
from tests.cli.kubernetes.releases import IMAGE, release

EVERYTHING: dict[str, Any] = {
    "host": "digits.example.com",
    "ingress_class": "nginx",
    "tls_secret": "digits-tls",
    "image_pull_secret": "registry",
}


def rendered(**settings: Any) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in manifests.objects(release(**settings))}


def container(**settings: Any) -> dict[str, Any]:
    containers = rendered(**settings)["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert len(containers) == 1
    return dict(containers[0])


@pytest.mark.parametrize("version", ["1.30", "1.37"])
@pytest.mark.parametrize("settings", [{}, EVERYTHING, {"replicas": 3, "max_replicas": 3}])
def test_every_object_is_valid_strictly(settings: dict[str, Any], version: str) -> None:
    for each in manifests.objects(release(**settings)):
        kubernetes_validate.validate(each, version, strict=True)


def test_the_objects_are_those_a_service_needs() -> None:
    assert list(rendered()) == [
        "Secret",
        "Service",
        "Deployment",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
    ]
    assert "Ingress" in rendered(host="digits.example.com")


def test_the_yaml_says_what_the_objects_say() -> None:
    objects = manifests.objects(release(**EVERYTHING))
    assert list(yaml.safe_load_all(manifests.text(objects))) == objects


def test_a_pod_may_do_nothing_but_serve() -> None:
    pod = rendered()["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = {mount["mountPath"] for mount in container()["volumeMounts"]}
    assert written == {"/var/cache/pointsman", "/tmp"}  # noqa: S108 — in the pod


def test_readiness_asks_for_a_model_and_liveness_only_for_a_process() -> None:
    probes = {name: probe for name, probe in container().items() if name.endswith("Probe")}
    paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
    assert paths == {
        "startupProbe": "/livez",
        "readinessProbe": "/health",
        "livenessProbe": "/livez",
    }


def test_no_old_pod_goes_before_a_new_one_answers() -> None:
    strategy = rendered()["Deployment"]["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_a_pod_has_time_for_its_goodbye() -> None:
    pod = rendered()["Deployment"]["spec"]["template"]["spec"]
    asleep = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > asleep + release().drain_seconds


def test_where_an_autoscaler_counts_the_deployment_does_not() -> None:
    assert "replicas" not in rendered()["Deployment"]["spec"]
    fixed = rendered(replicas=3, max_replicas=3)
    assert fixed["Deployment"]["spec"]["replicas"] == 3
    assert "HorizontalPodAutoscaler" not in fixed
    assert manifests.superfluous(release(replicas=3, max_replicas=3)) == [
        "horizontalpodautoscaler/digits",
        "ingress/digits",
    ]


def test_pods_are_replaced_when_a_key_changes_and_keep_theirs_until_then() -> None:
    before, after = release({"KEY": "one"}), release({"KEY": "two"})
    assert before.secret_name != after.secret_name
    deployment = {each["kind"]: each for each in manifests.objects(after)}["Deployment"]
    source = deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert source == [{"secretRef": {"name": after.secret_name}}]


def test_a_secret_is_in_the_secret_and_nowhere_else() -> None:
    objects = manifests.objects(release({"AWS_SECRET_ACCESS_KEY": "hush-hush"}))
    others = [each for each in objects if each["kind"] != "Secret"]
    assert "hush-hush" not in manifests.text(others)
    assert "aHVzaC1odXNo" in manifests.text(objects)
    assert "hush" not in repr(release({"KEY": "hush"}))


def test_what_people_are_shown_hides_what_is_secret() -> None:
    shown = manifests.text(manifests.public(manifests.objects(release({"KEY": "hush-hush"}))))
    assert "aHVzaC1odXNo" not in shown
    assert "KEY: (hidden)" in shown
    assert IMAGE in shown


def test_rendering_twice_gives_the_same_text() -> None:
    first, second = (manifests.text(manifests.objects(release(**EVERYTHING))) for _ in range(2))
    assert first == second
