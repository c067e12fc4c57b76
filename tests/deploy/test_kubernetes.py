"""The Kubernetes manifests: against the schema of its API, each other, and the service."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate.utils import all_versions

from tests.deploy.manifests import EXAMPLE, FOLDER, Manifest, Manifests, kustomized, written
from tests.documentation.pages import blocks
from tests.support.imports import PROJECT

OLDEST = 27
"""The oldest Kubernetes 1.x that has all fields, and has them on by default."""
VERSIONS = [one for one in sorted({*all_versions()}) if int(one.split(".")[1]) >= OLDEST]
SUFFIXES = {"": Decimal(1), "m": Decimal("0.001"), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}
ADAPTER = FOLDER / "prometheus-adapter.yaml"
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def quantity(text: str) -> Decimal:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", text)
    assert match
    assert match[2] in SUFFIXES, text
    return Decimal(match[1]) * SUFFIXES[match[2]]


def own_selectors(manifests: Manifests) -> Iterator[Mapping[str, str]]:
    """Yield the labels by which objects choose the service's pods."""
    yield manifests.only("Service")["spec"]["selector"]
    yield manifests.only("Deployment")["spec"]["selector"]["matchLabels"]
    yield manifests.only("PodDisruptionBudget")["spec"]["selector"]["matchLabels"]
    for policy in manifests.of_kind("NetworkPolicy"):
        yield policy["spec"]["podSelector"]["matchLabels"]
    for spread in manifests.pod["topologySpreadConstraints"]:
        yield spread["labelSelector"]["matchLabels"]


def ports_let_in(manifests: Manifests) -> Iterator[str]:
    for policy in manifests.of_kind("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            yield from (port["port"] for port in rule["ports"])


class TestManifests:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_follow_the_schema_of_kubernetes(self, manifests: Manifests, version: str) -> None:
        for each in manifests.all:
            kubernetes_validate.validate(each, version, strict=True)

    def test_would_be_seen_to_break_the_schema(self) -> None:
        deployment: Any = written().only("Deployment")
        deployment["spec"]["template"]["spec"]["terminationGracePeriod"] = 30
        with pytest.raises(kubernetes_validate.ValidationError, match="terminationGracePeriod"):
            kubernetes_validate.validate(deployment, VERSIONS[-1], strict=True)

    def test_are_of_the_kinds_that_are_needed(self, manifests: Manifests) -> None:
        kinds = [each["kind"] for each in manifests.all]
        assert sorted(kinds) == [
            "ConfigMap",
            "Deployment",
            "HorizontalPodAutoscaler",
            "NetworkPolicy",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Service",
            "ServiceAccount",
        ]

    def test_select_the_pods(self, manifests: Manifests) -> None:
        labels = manifests.template["metadata"]["labels"].items()
        selectors = [*own_selectors(manifests)]
        assert all(selectors)
        assert [one for one in selectors if not one.items() <= labels] == []

    def test_name_ports_that_exist(self, manifests: Manifests) -> None:
        ports = {one["name"]: one["containerPort"] for one in manifests.container["ports"]}
        (service,) = manifests.only("Service")["spec"]["ports"]
        probed = [manifests.container[probe]["httpGet"]["port"] for probe in PROBES]
        assert {service["targetPort"], *probed} == {"http"}
        assert {*ports_let_in(manifests)} == {"http", "metrics"}
        variables = manifests.variables
        assert ports == {
            "http": int(variables["PORT"]),
            "metrics": int(variables["METRICS_PORT"]),
        }
        annotations = manifests.template["metadata"]["annotations"]
        assert annotations["prometheus.io/port"] == variables["METRICS_PORT"]

    def test_refer_to_what_is_there(self, manifests: Manifests) -> None:
        deployment = manifests.only("Deployment")
        account = manifests.only("ServiceAccount")["metadata"]["name"]
        assert manifests.pod["serviceAccountName"] == account
        assert manifests.only("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"] == {
            "apiVersion": deployment["apiVersion"],
            "kind": deployment["kind"],
            "name": deployment["metadata"]["name"],
        }

    def test_have_quantities_with_limits_above_requests(self, manifests: Manifests) -> None:
        resources = manifests.container["resources"]
        requests, limits = (
            {name: quantity(text) for name, text in resources[which].items()}
            for which in ("requests", "limits")
        )
        assert requests.keys() == {"cpu", "memory"}
        assert limits.keys() == {"memory"}
        assert requests["memory"] < limits["memory"]

    def test_agree_on_the_number_of_replicas(self, manifests: Manifests) -> None:
        scaled = manifests.only("HorizontalPodAutoscaler")["spec"]
        budget = manifests.only("PodDisruptionBudget")["spec"]
        deployment = manifests.only("Deployment")["spec"]
        assert 2 <= scaled["minReplicas"] < scaled["maxReplicas"]
        assert 1 <= budget["maxUnavailable"] < scaled["minReplicas"]
        assert "replicas" not in deployment
        assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


class TestPods:
    def test_have_the_time_that_a_shutdown_takes(self, manifests: Manifests) -> None:
        variables = manifests.variables
        own_s = sum(
            float(variables[name]) for name in ("LEAVE_DELAY_SECONDS", "DRAIN_TIMEOUT_SECONDS")
        )
        hook = manifests.container.get("lifecycle", {}).get("preStop", {})
        before_s = hook.get("sleep", {}).get("seconds", 0)
        assert hook.keys() <= {"sleep"}
        assert manifests.pod["terminationGracePeriodSeconds"] > before_s + own_s + 5

    def test_wait_for_the_answer_to_a_readiness_probe(self, manifests: Manifests) -> None:
        probe = manifests.container["readinessProbe"]
        assert probe["timeoutSeconds"] > float(manifests.variables["READY_TIMEOUT_SECONDS"])
        assert probe["httpGet"]["path"] == "/readyz"

    def test_have_no_endpoint_any_more_when_they_leave(self, manifests: Manifests) -> None:
        probe = manifests.container["readinessProbe"]
        assert float(manifests.variables["LEAVE_DELAY_SECONDS"]) >= probe["periodSeconds"]

    def test_are_restarted_by_their_own_state_only(self, manifests: Manifests) -> None:
        for name in ("startupProbe", "livenessProbe"):
            assert manifests.container[name]["httpGet"]["path"] == "/livez"

    def test_follow_the_restricted_pod_security_standard(self, manifests: Manifests) -> None:
        pod, container = manifests.pod, manifests.container
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        context = pod["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 65532)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert manifests.only("ServiceAccount")["automountServiceAccountToken"] is False
        assert {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys() == set()

    def test_may_read_the_secrets_and_nobody_else_may(self, manifests: Manifests) -> None:
        (volume,) = manifests.pod["volumes"]
        assert volume["secret"]["defaultMode"] == 0o440
        assert manifests.pod["securityContext"]["fsGroup"] == 65532

    def test_find_each_file_in_the_secret_of_the_page(self, manifests: Manifests) -> None:
        (volume,) = manifests.pod["volumes"]
        (mount,) = manifests.container["volumeMounts"]
        assert mount.keys() == {"name", "mountPath", "readOnly"}  # a subPath is never updated
        assert volume["name"] == mount["name"]
        (made, replaced) = (
            re.findall(r"secret generic (\S+)|--from-file=([\w.-]+)", each.text)
            for each in blocks("docs/kubernetes.md", "sh")
            if "secret generic" in each.text
        )
        assert made == replaced
        (name, *_), *files = made
        assert name == volume["secret"]["secretName"]
        named = {
            value
            for variable, value in manifests.variables.items()
            if variable.endswith(("_FILE", "_PATH"))
        }
        assert named == {f"{mount['mountPath']}/{file}" for _, file in files}


class TestKustomization:
    @pytest.mark.kustomize
    def test_names_the_settings_by_their_content(self) -> None:
        config = kustomized().only("ConfigMap")["metadata"]["name"]
        assert re.fullmatch(r"livekit-mute-[a-z0-9]{10}", config)

    def test_of_the_base_lists_every_file(self) -> None:
        base = FOLDER / "base"
        listed = yaml.safe_load((base / "kustomization.yaml").read_text())["resources"]
        files = {each.name for each in base.glob("*.yaml")} - {"kustomization.yaml"}
        assert {*listed} == files
        assert (EXAMPLE / "kustomization.yaml").exists()


class TestAutoscaler:
    @pytest.fixture
    def metrics(self, manifests: Manifests) -> Mapping[str, Manifest]:
        metrics = manifests.only("HorizontalPodAutoscaler")["spec"]["metrics"]
        return {each["type"]: each[each["type"].lower()] for each in metrics}

    def test_asks_for_a_metric_that_the_adapter_offers(
        self, metrics: Mapping[str, Manifest]
    ) -> None:
        (rule,) = yaml.safe_load(ADAPTER.read_text())["rules"]
        assert "name" not in rule  # so that the metric is called as the series is
        assert rule["seriesQuery"].partition("{")[0] == metrics["Pods"]["metric"]["name"]

    def test_asks_for_a_metric_of_the_service(self, metrics: Mapping[str, Manifest]) -> None:
        page = (PROJECT / "docs/metrics.md").read_text()
        assert f"| `{metrics['Pods']['metric']['name']}` | gauge |" in page

    def test_aims_well_below_the_limits(
        self, manifests: Manifests, metrics: Mapping[str, Manifest]
    ) -> None:
        limit = int(manifests.variables.get("MAX_IN_FLIGHT", "512"))
        assert quantity(metrics["Pods"]["target"]["averageValue"]) * 4 <= limit
        assert metrics["Resource"]["name"] == "cpu"
        assert quantity(metrics["Resource"]["target"]["averageValue"]) < 1  # the core of a process
