"""Settings that are read from files."""

import os
from pathlib import Path

from entrypoints.settings.settings import load_settings
from tests.entrypoints.settings.test_settings import problem

SECRET_FILES = {
    "AUTH_API_SECRETS_JSON": "AUTH_API_SECRETS_FILE",
    "AUTH_API_SECRET": "AUTH_API_SECRET_FILE",
    "LIVEKIT_API_KEY": "LIVEKIT_API_KEY_FILE",
    "LIVEKIT_API_SECRET": "LIVEKIT_API_SECRET_FILE",
}
KEY_FILES = ("AUTH_JWT_PUBLIC_KEY_PATH", "AUTH_SIGNING_KEY_PATH")


class TestFiles:
    def test_hold_secrets(self, tmp_path: Path) -> None:
        for end in ("", "\n", "\r\n"):
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

    def test_stop_the_start_if_their_content_is_broken(self, tmp_path: Path) -> None:
        wrong = {}
        for content in (b"", b"\n", b"\xff\xfe", b"s3cret one\n", b"{s3cret \xc3\xa9", b"\0"):
            path = tmp_path / "s3cret"
            path.write_bytes(content)
            for name in (*SECRET_FILES.values(), *KEY_FILES):
                text = problem({name: str(path)})
                if not text.startswith(f"{name}: ") or "s3cret" in text or "\n" in text:
                    wrong[name, content] = text
        assert wrong == {}

    def test_stop_the_start_if_they_are_empty(self, tmp_path: Path) -> None:
        path = tmp_path / "empty"
        for content in (b"", b"\n", b"\r\n"):
            path.write_bytes(content)
            texts = [problem({name: str(path)}) for name in SECRET_FILES.values()]
            assert texts == [f"{name}: the file is empty" for name in SECRET_FILES.values()]

    def test_stop_the_start_if_they_do_not_exist(self, tmp_path: Path) -> None:
        names = (*SECRET_FILES.values(), *KEY_FILES)
        assert [problem({name: str(tmp_path / "s3cret")}) for name in names] == [
            f"{name}: the file cannot be read: No such file or directory" for name in names
        ]

    def test_stop_the_start_if_they_are_not_regular_files(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        for path in (pipe, Path("/dev/zero")):
            assert problem({"AUTH_API_SECRET_FILE": str(path)}) == (
                "AUTH_API_SECRET_FILE: the file is not a regular file"
            )

    def test_stop_the_start_if_they_are_directories(self, tmp_path: Path) -> None:
        names = (*SECRET_FILES.values(), *KEY_FILES)
        assert [problem({name: str(tmp_path)}) for name in names] == [
            f"{name}: the file is a directory" for name in names
        ]

    def test_stop_the_start_if_the_variable_holds_their_content(self) -> None:
        names = (*SECRET_FILES.values(), *KEY_FILES)
        contents = ("-----BEGIN PUBLIC KEY-----", '[{"id": "s3cret"}]', '{"keys": []}', "s3cret\nx")
        texts = {
            (name, content): problem({name: content}) for name in names for content in contents
        }
        assert texts == {
            (name, content): f"{name}: must be the path of a file, not its content"
            for name, content in texts
        }

    def test_stop_the_start_if_their_content_keeps_its_quotation_marks(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "quoted"
        path.write_bytes(b'"s3cret"\n')
        problems = [problem({name: str(path)}) for name in SECRET_FILES.values()]
        assert {text.partition(": ")[2][:35] for text in problems} == {
            "begins and ends with a quotation ma"
        }

    def test_stop_the_start_if_they_begin_with_a_byte_order_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "bom"
        path.write_bytes(b"\xef\xbb\xbfs3cret\n")
        problems = [problem({name: str(path)}) for name in SECRET_FILES.values()]
        assert problems == [
            f"{name}: the file begins with a byte order mark (BOM); save it without"
            for name in SECRET_FILES.values()
        ]

    def test_stop_the_start_if_they_are_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "large"
        path.write_bytes(b"x" * (16 * 1024 * 1024 + 1))
        assert problem({"AUTH_API_SECRET_FILE": str(path)}) == (
            "AUTH_API_SECRET_FILE: the file is larger than 16 MiB"
        )

    def test_stop_the_start_if_the_variable_is_set_too(self) -> None:
        texts = [problem({name: "s3cret", file: "/s3cret"}) for name, file in SECRET_FILES.items()]
        assert texts == [
            f"{file}: {name} is set too; set one of them" for name, file in SECRET_FILES.items()
        ]
