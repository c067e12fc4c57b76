"""How a request looks on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.entrypoints.test_console import GET, INDENT, MUTE, TIME, failed, mute, width, written


class TestRequest:
    def test_tells_who_did_what_to_whom(self) -> None:
        assert mute() == [f"{TIME} INFO  200 tenant-a muted alice/TR_x in standup 3.2ms"]
        assert mute(muted_wanted=False, muted=False) == [
            f"{TIME} INFO  200 tenant-a unmuted alice/TR_x in standup 3.2ms"
        ]

    def test_tells_what_livekit_reports_if_it_is_something_else(self) -> None:
        for wanted, verb, state in ((False, "unmute", "muted"), (True, "mute", "not muted")):
            assert mute(level="warning", muted_wanted=wanted, muted=not wanted) == [
                (
                    f"{TIME} WARN  200 tenant-a {verb} alice/TR_x in standup 3.2ms"
                    f" LiveKit reports it as {state}"
                )
            ]

    def test_tells_why_it_failed(self) -> None:
        assert failed(404, "ROOM_NOT_FOUND", "foreign") == [
            (
                f"{TIME} INFO  404 tenant-a mute alice/TR_x in standup 3.2ms"
                " ROOM_NOT_FOUND: owned by another tenant"
            )
        ]
        assert failed(404, "ROOM_NOT_FOUND", "missing") == [
            (
                f"{TIME} INFO  404 tenant-a mute alice/TR_x in standup 3.2ms"
                " ROOM_NOT_FOUND: there is no such room"
            )
        ]
        assert mute(status=404, code="TRACK_NOT_FOUND", muted=None) == [
            f"{TIME} INFO  404 tenant-a mute alice/TR_x in standup 3.2ms TRACK_NOT_FOUND"
        ]

    def test_leaves_out_the_code_if_the_reason_fits_without_it(self) -> None:
        assert failed(404, "ROOM_NOT_FOUND", "foreign", track="TR_AMXj2bTtR5gyZr") == [
            (
                f"{TIME} INFO  404 tenant-a mute alice/TR_AMXj2bTtR5gyZr in standup 3.2ms"
                " owned by another tenant"
            )
        ]

    def test_has_a_long_reason_below(self) -> None:
        reason = (
            "cannot connect to livekit.example.com:443: the certificate is signed by an unknown"
            " authority"
        )
        assert failed(500, "LIVEKIT_UNAVAILABLE", reason, level="error") == [
            f"{TIME} ERROR 500 tenant-a mute alice/TR_x in standup 3.2ms LIVEKIT_UNAVAILABLE",
            f"{INDENT}{reason.removesuffix(' authority')}",
            f"{INDENT}authority",
        ]

    def test_names_a_caller_without_an_id(self) -> None:
        anonymous = {name: value for name, value in MUTE.items() if name != "caller_id"}
        assert "200 (anonymous) muted" in written(anonymous)[0]
        assert '200 "(anonymous)" muted' in mute(caller_id="(anonymous)")[0]
        refused = {**GET, "source": "signed-tokens", "status": 401, "code": "UNAUTHORIZED"}
        assert "401 from 203.0.113.7 GET" in written(refused)[0]
        assert written({**GET, "level": "debug"}) == [
            f"{TIME} DEBUG 200 from 203.0.113.7 GET /livez 3.2ms"
        ]
        nobody = {name: value for name, value in GET.items() if name != "client"}
        assert written(nobody) == [f"{TIME} INFO  200 - GET /livez 3.2ms"]

    def test_shortens_only_the_names_that_are_too_long(self) -> None:
        [line] = mute(participant="p" * 256, room="r" * 64)
        assert line == (
            f"{TIME} INFO  200 tenant-a muted {'p' * 23}\u2026/TR_x in {'r' * 23}\u2026 3.2ms"
        )

    def test_quotes_names_that_could_be_mistaken(self) -> None:
        [line] = mute(
            caller_id='a "b"', participant="a/b", track="x in y", room="\x1b[31m\n\u202e\ud800"
        )
        assert line == (
            rf'{TIME} INFO  200 "a \"b\"" muted "a/b"/"x in y" in'
            r' "\x1b[31m\n\u202e\ud800" 3.2ms'
        )
        assert r'"\\x1b"' in mute(room=r"\x1b")[0]

    @pytest.mark.parametrize(
        ("status", "code", "reason"),
        [
            (200, "OK", ""),
            (404, "TRACK_NOT_FOUND", ""),
            (503, "AUTH_SERVICE_UNAVAILABLE", "x" * 300),
            (503, "A_CODE_OF_A_LENGTH_THAT_NO_CODE_HAS" * 2, "why"),
        ],
    )
    @given(chosen=st.lists(st.text(max_size=300), min_size=5, max_size=5))
    def test_fits_a_hundred_columns_and_injects_nothing(
        self, status: int, code: str, reason: str, chosen: list[str]
    ) -> None:
        *names, path = chosen
        outcome = {"status": status, "code": code, "elapsed_ms": 300_000.0, "reason": reason}
        named = dict(zip(("caller_id", "participant", "track", "room"), names, strict=True))
        for event in ({**MUTE, **named}, {**GET, "client": "::1" * 15, "path": path}):
            first, *below = written({**event, **outcome})
            assert first.startswith(f"{TIME} INFO  ")
            assert all(width(line) <= 100 and line.isprintable() for line in (first, *below))
            assert all(line.startswith(INDENT) for line in below)
            assert "".join(line.strip() for line in below) in ("", reason)
