"""What ``serve --gateway in-memory`` prints for a newcomer."""

import signal

import aiohttp
import pytest

from tests.support.command import Run, Running, paste
from tests.support.service import DEMO_REQUEST


def printed(running: Running, *, commands: int) -> tuple[str, list[str]]:
    """Read what the demo printed before the last of so many commands, and the commands."""
    assert running.process.stdout
    text, found = "", list[str]()
    while len(found) < commands:
        line = running.process.stdout.readline()
        assert line, f"no {commands} commands: {text}"
        if line.startswith("curl "):
            found.append(line)
        else:
            text += line
    return text, found


class TestDemo:
    @pytest.mark.parametrize("host", ["::1", "0.0.0.0"])
    async def test_prints_commands_of_two_tenants_for_the_demo(self, start: Run, host: str) -> None:
        running = start("--gateway", "in-memory", "--host", host)
        text, commands = printed(running, commands=2)
        assert "belongs to tenant-a" in text
        assert await paste(commands[0]) == (200, DEMO_REQUEST)
        status, masked = await paste(commands[1])
        assert (status, masked["code"]) == (404, "ROOM_NOT_FOUND")
        running.wait_for("request")
        assert "demo-secret" not in running.log.read_text()

    async def test_prints_one_command_where_the_demo_has_no_tenants(self, start: Run) -> None:
        """They are not given to the demo of whoever sets up authentication."""
        running = start("--gateway", "in-memory", AUTH_REQUIRED="false")
        _, [command] = printed(running, commands=1)
        assert "Authorization" not in command
        assert await paste(command) == (200, DEMO_REQUEST)

    def test_gives_the_demos_secrets_to_no_other_rooms(self, start: Run) -> None:
        problems = [event.get("problem") for event in start().events]
        assert "authentication is off: every caller reaches every room" in problems

    async def test_prints_the_address_of_the_page(self, start: Run) -> None:
        running = start("--gateway", "in-memory")
        assert running.process.stdout
        address = next(line.split()[-1] for line in running.process.stdout if "/docs" in line)
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")

    async def test_has_no_page_where_that_is_off(self, start: Run) -> None:
        running = start("--gateway", "in-memory", DOCS_PAGE="false")
        assert running.process.stdout
        running.process.stdout.readline()
        async with aiohttp.ClientSession() as session:
            for path in ("docs", "openapi.json", "openapi.yaml"):
                async with session.get(f"{running.url}/{path}") as answer:
                    assert (answer.status, (await answer.json())["code"]) == (404, "NOT_FOUND")
        running.send(signal.SIGTERM)
        assert "/docs" not in running.process.stdout.read()

    async def test_prints_a_command_with_a_token_where_one_is_required(self, start: Run) -> None:
        running = start(
            "--gateway",
            "in-memory",
            HOST="0.0.0.0",
            AUTH_API_SECRET="$ecret",
            AUTH_API_SECRET_ID="tenant-a",
        )
        _, [line] = printed(running, commands=1)
        assert "http://127.0.0.1:" in line  # where 0.0.0.0 can be reached
        assert await paste(line, TOKEN="$ecret") == (200, DEMO_REQUEST)
        assert (await paste(line, TOKEN="wrong"))[0] == 401
        assert "$ecret" not in running.log.read_text() + line

    async def test_names_the_setting_that_the_demo_needs(self, start: Run) -> None:
        running = start("--gateway", "in-memory", AUTH_API_SECRET="s3cret")
        assert running.process.stdout
        assert "set AUTH_API_SECRET_ID=tenant-a" in running.process.stdout.readline()
