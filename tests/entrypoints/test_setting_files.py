"""Settings that are read from files."""

import os
from pathlib import Path

import pytest

from entrypoints.settings import load_settings
from tests.entrypoints.test_settings import problem


class TestFiles:
    @pytest.mark.parametrize("end", ["", "\n", "\r\n"])
    def test_hold_secrets(self, tmp_path: Path, end: str) -> None:
        secrets = tmp_path / "secrets"
        secrets.write_bytes(f'[{{"id": "a", "secret": "one"}}]{end}'.encode())
        secret = tmp_path / "secret"
        secret.write_bytes(f"two{end}".encode())
        name = tmp_path / "name"
        name.write_bytes(f"key{end}".encode())
        settings = load_settings(
            {
                "AUTH_API_SECRETS_FILE": str(secrets),
                "AUTH_API_SECRET_FILE": str(secret),
                "AUTH_API_SECRET_ID": "b",
                "LIVEKIT_API_KEY_FILE": str(name),
                "LIVEKIT_API_SECRET_FILE": str(secret),
            }
        )
        assert settings.auth.api_secrets.tenants == {"one": "a", "two": "b"}
        assert settings.livekit.api_key.name == "key"
        assert settings.livekit.api_key.secret == "two"
        assert settings.livekit.missing == ("LIVEKIT_URL",)

    @pytest.mark.parametrize(
        "name",
        [
            "AUTH_API_SECRETS_FILE",
            "AUTH_API_SECRET_FILE",
            "LIVEKIT_API_KEY_FILE",
            "LIVEKIT_API_SECRET_FILE",
            "AUTH_JWT_PUBLIC_KEY_PATH",
            "AUTH_SIGNING_KEY_PATH",
        ],
    )
    @pytest.mark.parametrize(
        "content", [None, b"", b"\n", b"\xff\xfe", b"s3cret one\n", b"{s3cret \xc3\xa9", b"\0"]
    )
    def test_stop_the_start_where_they_are_broken(
        self, tmp_path: Path, name: str, content: bytes | None
    ) -> None:
        path = tmp_path / "s3cret"
        if content is not None:
            path.write_bytes(content)
        text = problem({name: str(path)})
        assert text.startswith(f"{name}: ")
        assert "s3cret" not in text
        assert "\n" not in text

    def test_stop_the_start_where_they_are_no_files(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        for path in (pipe, tmp_path, Path("/dev/zero")):
            assert problem({"AUTH_API_SECRET_FILE": str(path)}) == (
                "AUTH_API_SECRET_FILE: the file is not a regular file"
            )

    def test_stop_the_start_where_they_are_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "large"
        path.write_bytes(b"x" * (16 * 1024 * 1024 + 1))
        assert problem({"AUTH_API_SECRET_FILE": str(path)}) == (
            "AUTH_API_SECRET_FILE: the file is larger than 16 MiB"
        )

    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("AUTH_API_SECRETS_JSON", "AUTH_API_SECRETS_FILE"),
            ("AUTH_API_SECRET", "AUTH_API_SECRET_FILE"),
            ("LIVEKIT_API_KEY", "LIVEKIT_API_KEY_FILE"),
            ("LIVEKIT_API_SECRET", "LIVEKIT_API_SECRET_FILE"),
        ],
    )
    def test_stop_the_start_beside_what_they_stand_for(self, name: str, file: str) -> None:
        text = problem({name: "s3cret", file: "/s3cret"})
        assert text == f"{file}: {name} is set too; set one of them"
