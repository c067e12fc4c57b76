"""A name that looks like a secret is redacted, and told from others by a digest."""

import json
from hashlib import sha256

import pytest

from entrypoints.logs import make_log

OURS = "xyzzy-plugh"
HEADER = "eyJhbGciOiJFUzI1NiJ9"
NAMES = ("caller_id", "participant", "request_id", "room", "track")


def logged(capsys: pytest.CaptureFixture[str], **fields: object) -> dict[str, object]:
    """Log an event; return its fields as they were written."""
    log = make_log(level="info", format_="json", secrets=lambda: frozenset({OURS}))
    log.info("request", **fields)
    written: dict[str, object] = json.loads(capsys.readouterr().err)
    return {name: written[name] for name in written.keys() - {"event", "level", "timestamp"}}


def digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:16]


class TestNames:
    @pytest.mark.parametrize("field", NAMES)
    def test_that_look_like_secrets_have_a_digest_of_the_whole_name(
        self, capsys: pytest.CaptureFixture[str], field: str
    ) -> None:
        wrong = {}
        for name, shown in {
            f"{HEADER}.eyJz.xyz": "[secret]",
            f"{HEADER}.eyJz.abc": "[secret]",
            f"{HEADER}.{'x' * 235}": "[secret]",
            f"{HEADER}.a.b.c.d": "[secret]",
            f"a {HEADER}.a.b \xe9 \U0001f600": "a [secret] \xe9 \U0001f600",
            "Bearer one": "[secret]",
            "Bearer two": "[secret]",
            "x api_key=one&y": "x [secret]&y",
            "-----BEGIN PRIVATE KEY-----": "[secret]",
        }.items():
            event = logged(capsys, **{field: name})
            if event != {field: shown, f"{field}_sha256": digest(name)}:
                wrong[name] = event
        assert wrong == {}

    def test_keep_a_digest_of_what_was_cut(self, capsys: pytest.CaptureFixture[str]) -> None:
        event = logged(capsys, room=f"{HEADER}.x", room_sha256="0" * 16)
        assert event == {"room": "[secret]", "room_sha256": "0" * 16}

    def test_that_are_a_secret_of_ours_have_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        """It may be weak, and its digest would confirm a guess."""
        assert logged(capsys, room=OURS, caller_id=OURS) == {
            "room": "[secret]",
            "caller_id": "[secret]",
        }

    def test_that_are_ordinary_have_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        for name in ("demo-room", "[secret]", "eyJ", f"{OURS} ", ""):
            assert logged(capsys, room=name, muted=None) == {"room": name, "muted": None}


class TestOtherFields:
    def test_have_no_digest(self, capsys: pytest.CaptureFixture[str]) -> None:
        """They are no names, and a short token could be guessed."""
        assert logged(capsys, path="/Bearer x", reason="Bearer x", stack=["Bearer x"]) == {
            "path": "/[secret]",
            "reason": "[secret]",
            "stack": ["[secret]"],
        }

    @pytest.mark.parametrize("format_", ["json", "console"])
    @pytest.mark.parametrize("path", ["/{}", "/livekit/participant/mute/{}", "/{}/x", "//{}/{}"])
    def test_have_no_secret_of_ours_in_a_path(
        self, capsys: pytest.CaptureFixture[str], path: str, format_: str
    ) -> None:
        """Some clients write a token where an id belongs."""
        log = make_log(level="info", format_=format_, secrets=lambda: frozenset({OURS}))
        log.info("request", method="GET", path=path.format(OURS, OURS))
        written = capsys.readouterr().err
        assert path.format("[secret]", "[secret]") in written
        assert OURS not in written
