"""The manifests of ``deploy/kubernetes``, as they are written and as kustomize builds them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from attrs import frozen

from tests.support.imports import PROJECT
from tests.support.kustomize import built

FOLDER = PROJECT / "deploy/kubernetes"
EXAMPLE = FOLDER / "example"
PARTS = (FOLDER / "base", EXAMPLE)

Manifest = Mapping[str, Any]


@frozen
class Manifests:
    """All objects that are applied."""

    all: Sequence[Manifest]

    def of_kind(self, kind: str) -> Sequence[Manifest]:
        return [each for each in self.all if each["kind"] == kind]

    def only(self, kind: str) -> Manifest:
        (one,) = self.of_kind(kind)
        return one

    @property
    def template(self) -> Manifest:
        """The pods of the Deployment."""
        template: Manifest = self.only("Deployment")["spec"]["template"]
        return template

    @property
    def pod(self) -> Manifest:
        pod: Manifest = self.template["spec"]
        return pod

    @property
    def container(self) -> Manifest:
        (container,) = self.pod["containers"]
        one: Manifest = container
        return one

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables of the container."""
        (source,) = self.container["envFrom"]
        config = self.only("ConfigMap")
        assert source == {"configMapRef": {"name": config["metadata"]["name"]}}
        variables: dict[str, str] = {**config["data"]}
        for each in self.container.get("env", ()):
            variables[each["name"]] = each["value"]
        return variables

    @property
    def secrets_folder(self) -> str:
        """Where the Secret is mounted."""
        (mount,) = self.container["volumeMounts"]
        return str(mount["mountPath"])


def _written() -> Iterator[Manifest]:
    settings: dict[str, str] = {}
    for part in PARTS:
        for file in sorted(part.glob("*.yaml")):
            if file.name != "kustomization.yaml":
                yield from yaml.safe_load_all(file.read_text())
        lines = [line for line in (part / "settings.env").read_text().splitlines() if line]
        settings |= dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "livekit-mute"},
        "data": settings,
    }


def written() -> Manifests:
    """Read the files of the base and the example, with the settings of both."""
    return Manifests([*_written()])


def kustomized() -> Manifests:
    """Build the example."""
    return Manifests([*yaml.safe_load_all(built(EXAMPLE))])


READINGS: Mapping[str, Callable[[], Manifests]] = {"written": written, "kustomized": kustomized}
