"""Each command of the documentation is run here, by another test, or not, for a reason."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.documentation.pages import Block, blocks
from tests.support.imports import PROJECT

URL = "http://127.0.0.1:3001"
PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in PROJECT.glob("docs/*.md")))

RUN_HERE = {  # by test_commands.py and TestMake
    ("README.md", "make run"),
    ("README.md", f"curl {URL}/livekit/participant/mute \\"),
    ("CONTRIBUTING.md", "make check"),
    ("docs/api.md", f"curl {URL}/livekit/participant/mute \\"),
    ("docs/audit.md", "livekit-mute audit /var/log/"),
    ("docs/audit.md", "# Who has just muted alice?"),
    ("docs/check.md", "livekit-mute check\n"),
    ("docs/check.md", "livekit-mute check --json"),
    ("docs/command.md", "export LIVEKIT_URL=wss://livekit.example.com LIVEKIT_API_KEY=..."),
    ("docs/command.md", "livekit-mute secret tenant-a | tail -n 1 > api-secrets.json"),
    ("docs/command.md", 'eval "$(_LIVEKIT_MUTE_COMPLETE=bash_source livekit-mute)"'),
    ("docs/identity.md", "umask 077"),
    ("docs/identity.md", "TOKEN=$(.venv/bin/python -c 'import jwt, time"),
    ("docs/metrics.md", "METRICS_PORT=9464 livekit-mute serve"),
    ("docs/run.md", "export LIVEKIT_URL=wss://livekit.example.com LIVEKIT_API_KEY=..."),
    ("docs/run.md", ".venv/bin/livekit-mute tracks conversation-room-123"),
    ("docs/workers.md", "livekit-mute serve --workers 2"),
}
RUN_ELSEWHERE = {
    ("docs/livekit-double.md", "curl -s http://127.0.0.1:7880/double/join"): (
        "tests/contract/test_livekit_double_program.py"
    ),
    ("docs/cluster.md", "make cluster"): "tests/cluster/test_cluster.py",
    ("docs/tracing.md", "curl "): "tests/examples/test_tracing_page.py",
    ("docs/log.md", "jq -r 'select(.credential)"): "tests/entrypoints/test_rotation.py",
}
NOT_RUN = {
    ("docs/livekit-double.md", "pip install '.[contract]'"): (
        "fetches packages; tests/test_wheel.py installs the same from a wheel and runs the double"
    ),
    ("docs/rest-suite.md", "pip install '.[contract]'"): (
        "the same, and names a server of the reader's; tests/contract/test_rest_suite.py has some"
    ),
    ("docs/room-gateways.md", "pip install '.[contract]'"): "the same",
    ("docs/tracing.md", "pip install 'livekit-mute[otel]'"): (
        "fetches packages; tests/entrypoints/tracing/test_traced_service.py starts it with spans"
    ),
    ("docs/run.md", "python3 -m venv .venv"): "the same",
    ("docs/proxies.md", "cp deploy/nginx/livekit-mute.conf"): (
        "changes the machine's proxy; tests/deploy/test_proxies.py starts both with these files"
    ),
    ("docs/kubernetes.md", "kubectl create namespace"): (
        "needs a cluster; tests/deploy/test_kubernetes.py compares the files with the manifests"
    ),
    ("docs/kubernetes.md", "kubectl apply -k deploy/kubernetes/example"): (
        "needs a cluster; tests/deploy/test_kubernetes.py builds the folder"
    ),
    ("docs/kubernetes.md", "kubectl create secret generic"): (
        "needs a cluster; tests/deploy/test_kubernetes_service.py swaps the mounted files"
    ),
    ("docs/kubernetes.md", "kubectl get --raw"): (
        "needs a cluster; tests/deploy/test_kubernetes_autoscaling.py asks a Prometheus the same"
    ),
    ("docs/deploy.md", "docker build -f deploy/Dockerfile"): (
        "needs Docker; tests/deploy/test_image.py builds the image with Buildah, and runs it"
    ),
    ("docs/deploy.md", "sh deploy/make-secrets.sh\ndocker compose"): (
        "needs Docker; tests/deploy/test_compose.py runs the first, and reads the file"
    ),
    ("docs/deploy.md", "python3 -m venv /opt/livekit-mute"): (
        "changes the machine; tests/deploy/test_image.py does it in a container with systemd"
    ),
    ("docs/deploy.md", "systemctl enable --now"): "the same",
    ("docs/cluster.md", ".venv-dev/bin/python -m tests.cluster.measure"): (
        "takes minutes and needs a quiet machine; test_cluster_faults.py kills the same parts"
    ),
    ("docs/growth.md", ".venv-dev/bin/python -m benchmarks.growth"): (
        "the same; tests/benchmarks/test_growth.py computes its table"
    ),
    ("docs/deploy.md", "docker compose -f deploy/compose.yaml build"): (
        "needs Docker; tests/deploy/test_proxies.py restarts one replica after the other"
    ),
    ("docs/deploy.md", "systemd-run --quiet"): "needs systemd, and a LiveKit of the reader's",
    ("docs/deploy.md", "for port in 3001 3002"): (
        "needs systemd; tests/deploy/test_proxies.py restarts one replica after the other"
    ),
}


def accounted_for(found: Block, known: Iterable[tuple[str, str]]) -> bool:
    return any(found.page == page and found.text.startswith(start) for page, start in known)


class TestEveryCommand:
    def test_is_accounted_for(self) -> None:
        known = {*RUN_HERE, *RUN_ELSEWHERE, *NOT_RUN}
        found = [each for page in PAGES for each in blocks(page, "sh")]
        missing = [each.first for each in found if not accounted_for(each, known)]
        assert missing == []
        gone = [one for one in known if not any(accounted_for(each, [one]) for each in found)]
        assert gone == []

    @pytest.mark.parametrize("page", PAGES)
    def test_is_in_a_block_that_is_found(self, page: str) -> None:
        """Blocks that are indented, as in a list, are not."""
        assert re.findall(r"^ +```.*", (PROJECT / page).read_text(), re.MULTILINE) == []

    @pytest.mark.parametrize(("page", "start"), RUN_ELSEWHERE)
    def test_is_read_from_the_page_by_the_test_that_runs_it(self, page: str, start: str) -> None:
        assert Path(page).name in (PROJECT / RUN_ELSEWHERE[page, start]).read_text()


class TestMake:
    @pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
    def test_has_the_targets(self, page: str) -> None:
        text = "\n".join(each.text for each in blocks(page, "sh"))
        named = set(re.findall(r"^make ([\w-]+)", text, re.MULTILINE))
        targets = re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
        assert named
        assert named - {*targets} == set()
