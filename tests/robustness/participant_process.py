"""A participant as a process of its own, which a test can freeze, and whose end ends no test.

``python -m tests.robustness.participant_process URL TOKEN`` joins and publishes a track. It answers
each line of standard input by whether it is connected, and the tracks that it publishes by then:
sids, and whether muted. Before that, where the line is not empty, it asks its server for something
and waits for the answer.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from attrs import frozen
from livekit import rtc
from livekit.api import AccessToken, VideoGrants

from domain.track import Participant, TrackSid
from tests.support.livekit_server import LiveKitServer


class ParticipantEndedError(Exception):
    """The process could not join, or was ended by a bug of its client."""


@frozen
class ParticipantProcess:
    """The test's end of it."""

    _process: Process

    async def tracks(self) -> dict[TrackSid, bool]:
        """Return the sids of the tracks that it publishes, each with whether it is muted.

        Raises:
            ParticipantEndedError: it has ended.
        """
        _, tracks = await self._ask(b"\n")
        return tracks

    async def muted(self, sid: TrackSid) -> bool | None:
        """Return whether a track is muted; None if it is not published, or not connected.

        Raises:
            ParticipantEndedError: it has ended.
        """
        connected, tracks = await self._ask(b"\n")
        return tracks.get(sid) if connected else None

    async def has_been_answered(self) -> None:
        """Wait until its server has had all that it has sent so far.

        Raises:
            ParticipantEndedError: it has ended.
        """
        await self._ask(b"ask the server\n")

    async def _ask(self, line: bytes) -> tuple[bool, dict[TrackSid, bool]]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line)
        if not (answer := await self._process.stdout.readline()):
            raise ParticipantEndedError
        connected, tracks = json.loads(answer)
        return connected, tracks

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def participant_process(
    server: LiveKitServer, participant: Participant
) -> AsyncIterator[ParticipantProcess]:
    """Join a room as another process would, and publish a track."""
    token = AccessToken(server.api_key, server.api_secret).with_identity(participant.identity)
    token = token.with_grants(
        VideoGrants(room_join=True, room=participant.room, can_update_own_metadata=True)
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __spec__.name, server.url, token.to_jwt()),
        env=os.environ | {"PYTHONPATH": os.curdir},
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        yield ParticipantProcess(process)
    finally:
        with suppress(ProcessLookupError):  # it has ended
            process.kill()
        await process.communicate()


async def _participate(url: str, token: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the starter ends us
    room = rtc.Room()
    await room.connect(url, token)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(48_000, 1))
    await room.local_participant.publish_track(track)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            await room.local_participant.set_metadata("")
        connected = room.connection_state == rtc.ConnectionState.CONN_CONNECTED
        published = room.local_participant.track_publications.values()
        print(json.dumps((connected, {each.sid: each.muted for each in published})), flush=True)  # noqa: T201 - to the test


if __name__ == "__main__":
    asyncio.run(_participate(*sys.argv[1:]))
