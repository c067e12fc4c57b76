"""Two replicas of the service before two LiveKit nodes, and nginx before both pairs."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from tests.support.command import Run
from tests.support.imports import PROJECT
from tests.support.livekit_cluster import ClusterNode, LiveKitCluster
from tests.support.nginx_server import NginxServer, run_nginx
from tests.support.replica import Replica, lasting_ports

SECRETS = {"tenant-a": "demo-secret-a", "tenant-b": "demo-secret-b"}
"""Those of the demo without LiveKit."""
_CONFIGURATION = PROJECT / "deploy/nginx/livekit-mute.conf"
_BEFORE_LIVEKIT = """
upstream livekit {
    server 127.0.0.1:%d max_fails=0;
    server 127.0.0.1:%d max_fails=0;
    keepalive 64;
}
map $http_upgrade $livekit_connection {
    "" "";
    default upgrade;
}
server {
    listen 127.0.0.1:{port};
    location / {
        proxy_pass http://livekit;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $livekit_connection;
        proxy_read_timeout 1h;
    }
}
"""


@frozen(kw_only=True)
class Cluster:
    livekit: LiveKitCluster
    livekit_proxy: NginxServer
    """Before the nodes: what the replicas call."""
    replicas: Sequence[Replica]
    proxy: NginxServer
    """Before the replicas: what callers call."""

    @property
    def nodes(self) -> Sequence[ClusterNode]:
        return self.livekit.room_node, self.livekit.service_node


@contextmanager
def run_cluster(livekit: LiveKitCluster, folder: Path, **settings: str) -> Iterator[Cluster]:
    """Run replicas with these settings, and the proxies, while this is entered.

    Raises:
        ServerDidNotStartError: a proxy ended, or did not listen within a minute.
    """
    secrets = [{"id": tenant, "secret": secret} for tenant, secret in SECRETS.items()]
    before_livekit = _BEFORE_LIVEKIT % (livekit.room_node.port, livekit.service_node.port)
    run = Run(folder)
    with ExitStack() as running:
        running.callback(run.end)
        livekit_proxy = running.enter_context(run_nginx(before_livekit, folder / "livekit"))
        variables = {
            "LIVEKIT_URL": livekit_proxy.url,
            "LIVEKIT_API_KEY": livekit.api_key,
            "LIVEKIT_API_SECRET": livekit.api_secret,
            "AUTH_API_SECRETS_JSON": json.dumps(secrets),
            "TRUSTED_PROXIES": "127.0.0.1",
            "LOG_FORMAT": "json",
            **settings,
        }
        replicas = [
            Replica(port, partial(run, METRICS_PORT=str(port), **variables))
            for port in lasting_ports()
        ]
        site = _before_replicas([each.url for each in replicas], folder)
        proxy = running.enter_context(run_nginx(site, folder / "site"))
        yield Cluster(livekit=livekit, livekit_proxy=livekit_proxy, replicas=replicas, proxy=proxy)


def _before_replicas(urls: Sequence[str], folder: Path) -> str:
    """Return the configuration that operators use, with addresses of loopback, without TLS."""
    first, second = (urlsplit(url).netloc for url in urls)
    changes = {
        "livekit-mute-1:3001": first,
        "livekit-mute-2:3001": second,
        "listen 443 ssl;": "listen 127.0.0.1:{port};",
        r"    listen \[::\]:443 ssl;\n": "",
        r"(    ssl_\w+ .*\n)+": "",
        r"(?s:\nserver {\n    listen 80;.*?\n}\n)": "",
        "/var/log/nginx": str(folder),
    }
    text = _CONFIGURATION.read_text()
    for pattern, instead in changes.items():
        text, times = re.subn(pattern, instead, text)
        assert times == 1, pattern
    return text
