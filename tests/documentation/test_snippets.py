"""Configuration and messages that the documentation shows."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.adapters.identity.cases.authentication_service import AuthenticationService
from tests.adapters.identity.cases.delegated_client import authenticate, open_client
from tests.documentation.pages import block
from tests.support.imports import PROJECT
from tests.support.livekit_server import command_of


class TestLiveKitsConfiguration:
    def test_has_the_setting_that_unmutes_in_the_tests_on_real_servers(self) -> None:
        shown = yaml.safe_load(block("docs/run.md", "yaml", "remote_unmute"))["room"]
        command = command_of(Path("server"), 7880, "secret", remote_unmute=True, sections={})
        assert shown.items() <= json.loads(command[-1])["room"].items()


class TestRequestToTheAuthenticationService:
    async def test_has_the_members_that_the_page_shows(self) -> None:
        service = AuthenticationService()
        async with service.running(), open_client(service.url) as client:
            await authenticate(client)
        shown = json.loads(block("docs/identity.md", "json", "auth_data"))
        assert shown["auth_data"].keys() == service.requests[0].data.keys()


@pytest.mark.prometheus
class TestConfigurationOfPrometheus:
    def test_is_valid(self, tmp_path: Path) -> None:
        configuration = tmp_path / "prometheus.yml"
        configuration.write_text(block("docs/metrics.md", "yaml", "scrape_configs"))
        shutil.copy(PROJECT / "deploy/prometheus-rules.yaml", tmp_path)
        subprocess.run(["promtool", "check", "config", configuration], check=True)
