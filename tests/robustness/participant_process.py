"""A participant as a process of its own, which a test can freeze.

``python -m tests.robustness.participant_process URL TOKEN`` joins and publishes a track. It answers
each line of standard input by the tracks that it publishes by then: sids, and whether muted.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from signal import SIGCONT, SIGSTOP

from attrs import frozen
from livekit import rtc
from livekit.api import AccessToken, VideoGrants

from domain.track import Participant, TrackSid
from tests.support.livekit_server import LiveKitServer


@frozen
class ParticipantProcess:
    """The test's end of it."""

    _process: Process

    async def tracks(self) -> dict[TrackSid, bool]:
        """Return the sids of the tracks that it publishes, each with whether it is muted."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"\n")
        tracks: dict[TrackSid, bool] = json.loads(await self._process.stdout.readline())
        return tracks

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._process.send_signal(SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(SIGCONT)


@asynccontextmanager
async def participant_process(
    server: LiveKitServer, participant: Participant
) -> AsyncIterator[ParticipantProcess]:
    """Join a room as another process would, and publish a track."""
    token = AccessToken(server.api_key, server.api_secret).with_identity(participant.identity)
    token = token.with_grants(VideoGrants(room_join=True, room=participant.room))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __spec__.name, server.url, token.to_jwt()),
        env=os.environ | {"PYTHONPATH": os.curdir},
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        yield ParticipantProcess(process)
    finally:
        process.kill()
        await process.communicate()


async def _participate(url: str, token: str) -> None:
    room = rtc.Room()
    await room.connect(url, token)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(48_000, 1))
    await room.local_participant.publish_track(track)
    while await asyncio.to_thread(sys.stdin.readline):
        published = room.local_participant.track_publications.values()
        print(json.dumps({each.sid: each.muted for each in published}), flush=True)  # noqa: T201 - to the test


if __name__ == "__main__":
    asyncio.run(_participate(*sys.argv[1:]))
