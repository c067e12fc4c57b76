"""Who LiveKit lists in a room: what is read of its answer, and which answers are rejected."""

import pytest
from google.protobuf.json_format import ParseDict
from livekit.api import ListParticipantsResponse, ParticipantInfo
from livekit.protocol.models import TrackInfo, TrackSource, TrackType
from typing_extensions import override

from adapters.livekit.errors import UnusableAnswerError
from adapters.livekit.listing import read_listing
from application.ports.room_gateway import RoomGatewayUnavailableError
from domain.room import RoomNotFoundError, RoomNotFoundReason
from domain.track import ListedParticipant, ParticipantIdentity, PublishedTrack, TrackSid
from tests.adapters.livekit.canned import ALICE, answer, owned_by, room_of_size
from tests.adapters.livekit.livekit_servers import HOUR_S, Canned, within

LISTED = ListParticipantsResponse(participants=[ParticipantInfo(identity=ALICE.identity)])
SOURCES = {
    TrackSource.UNKNOWN: "unknown",
    TrackSource.CAMERA: "camera",
    TrackSource.MICROPHONE: "microphone",
    TrackSource.SCREEN_SHARE: "screen_share",
    TrackSource.SCREEN_SHARE_AUDIO: "screen_share_audio",
}
KINDS = {TrackType.AUDIO: "audio", TrackType.VIDEO: "video", TrackType.DATA: "data"}
NOT_KNOWN_YET = 99
UNKNOWN = b"\xfa\x06\x06s3cret"
"""A field that the message does not have."""


def track_with(**numbers: int) -> PublishedTrack:
    """Read a track of these fields."""
    (listed,) = read_listing(listing_of(ParseDict({"sid": "TR_1"} | numbers, TrackInfo())))
    return listed.tracks[0]


def listing_of(*tracks: TrackInfo) -> ListParticipantsResponse:
    """Make the answer about a room with one participant."""
    alice = ParticipantInfo(identity=ALICE.identity, tracks=tracks)
    return ListParticipantsResponse(participants=[alice])


def listing_of_size(size: int) -> ListParticipantsResponse:
    """Make an answer of so many bytes, with as much metadata as LiveKit lets participants have."""
    listing = ListParticipantsResponse()
    while listing.ByteSize() < size:
        each = listing.participants.add(identity=f"{len(listing.participants)}", metadata="")
        each.metadata = "x" * min(524_288, size - listing.ByteSize())
    last = listing.participants[-1]
    last.metadata = last.metadata[listing.ByteSize() - size :]
    return listing


class Listing(Canned):
    """Knows the room, and answers who is in it with canned bytes."""

    def __init__(self, listed: ListParticipantsResponse, *, room: bytes = b"") -> None:
        super().__init__(answer("200 OK", listed.SerializeToString()))
        self._room = room or owned_by("tenant-a")

    @override
    async def answer(self, call: str) -> bytes:
        return self._room if call == "ListRooms" else await super().answer(call)


class TestReadListing:
    def test_reads_every_participant_with_every_track(self) -> None:
        answer = ListParticipantsResponse(
            participants=[
                ParticipantInfo(identity="bob"),
                ParticipantInfo(
                    identity="alice",
                    tracks=[TrackInfo(sid="TR_1", muted=True), TrackInfo(sid="TR_2")],
                ),
            ]
        )
        tracks = (
            PublishedTrack(sid=TrackSid("TR_1"), muted=True),
            PublishedTrack(sid=TrackSid("TR_2"), muted=False),
        )
        assert read_listing(answer) == (
            ListedParticipant(identity=ParticipantIdentity("bob"), tracks=()),
            ListedParticipant(identity=ParticipantIdentity("alice"), tracks=tracks),
        )

    def test_reads_every_source_and_kind(self) -> None:
        assert SOURCES.keys() == set(TrackSource.values())
        assert KINDS.keys() == set(TrackType.values())
        for number, source in [*SOURCES.items(), (NOT_KNOWN_YET, "unknown")]:
            assert track_with(source=number).source.value == source
        for number, kind in [*KINDS.items(), (NOT_KNOWN_YET, "unknown")]:
            assert track_with(type=number).kind.value == kind

    def test_rejects_what_cannot_be_a_listing(self) -> None:
        alice, bob = ParticipantInfo(identity="alice"), ParticipantInfo(identity="bob")
        track, nameless = TrackInfo(sid="TR_1"), TrackInfo(name="microphone")
        rejected = {
            "something else than participants": [ListParticipantsResponse.FromString(UNKNOWN)],
            "a participant twice or without identity": [
                ListParticipantsResponse(participants=[alice, bob, alice]),
                ListParticipantsResponse(participants=[alice, ParticipantInfo(sid="PA_1")]),
            ],
            "a track twice or without sid": [listing_of(track, track), listing_of(track, nameless)],
        }
        for problem, answers in rejected.items():
            for each in answers:
                with pytest.raises(UnusableAnswerError) as failed:
                    read_listing(each)
                assert failed.value.reason == f"answered with {problem}"


class TestListing:
    async def test_looks_for_the_room_first_since_nobody_is_listed_in_a_missing_one(self) -> None:
        livekit = Listing(listing_of(), room=answer("200 OK"))
        async with livekit.gateway() as gateway:
            with pytest.raises(RoomNotFoundError) as missing:
                await gateway.list_participants(ALICE.room, deadline=within(HOUR_S))
        assert missing.value.reason is RoomNotFoundReason.MISSING
        assert livekit.calls == ["ListRooms"]

    async def test_lists_who_is_in_a_room_that_is_too_large_to_be_read(self) -> None:
        """It is there: an anonymous caller may mute in it, too."""
        livekit = Listing(listing_of(), room=answer("200 OK", room_of_size(2 << 20)))
        async with livekit.gateway() as gateway:
            (alice,) = await gateway.list_participants(ALICE.room, deadline=within(HOUR_S))
        assert alice.identity == ALICE.identity
        assert livekit.calls == ["ListRooms", "ListParticipants"]

    async def test_reads_up_to_16_mib_and_says_what_is_too_large_beyond(self) -> None:
        async with Listing(listing_of_size(16 << 20)).gateway() as gateway:
            listed = await gateway.list_participants(ALICE.room, deadline=within(HOUR_S))
        assert len(listed) == 32
        async with Listing(listing_of_size((16 << 20) + 1)).gateway() as gateway:
            with pytest.raises(RoomGatewayUnavailableError) as failed:
                await gateway.list_participants(ALICE.room, deadline=within(HOUR_S))
        assert failed.value.reason == "the list of participants is larger than 16 MiB"
