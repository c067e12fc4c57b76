"""What users of the room gateway's suite get wrong: a module of theirs."""

import ast
from typing import Final

HEAD: Final = """
import asyncio
import sys
import time
from contextlib import asynccontextmanager

from attrs import evolve
from conference import Conference
from conference_gateway import ConferenceGateway
from conference_rooms import ConferenceRooms
from contract.room_gateway import RoomGatewayContract

class Example(RoomGatewayContract):
    kind = ConferenceGateway

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        conference = Conference(remote_unmute=remote_unmute)
        yield self.kind(conference), ConferenceRooms(conference)
"""
MISTAKES: Final = '''
class TestUndefined(RoomGatewayContract):
    """open_gateway() is not defined, or returns nothing: it has to be an async context manager"""

class TestUndecorated(Example):
    """open_gateway() returns 'async_generator', not an async context manager:
    use @asynccontextmanager"""

    async def open_gateway(self, *, remote_unmute):
        yield

class TestCoroutine(Example):
    """open_gateway() returns 'coroutine', not an async context manager: use @asynccontextmanager"""

    async def open_gateway(self, *, remote_unmute):
        return 1

class TestWithoutYield(Example):
    """open_gateway() does not yield (gateway, rooms)"""

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        return 1

class TestOnlyTheGateway(Example):
    """open_gateway() yields 'ConferenceGateway', not a tuple (gateway, rooms)"""

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        yield ConferenceGateway(Conference(remote_unmute=remote_unmute))

class TestOtherOrder(Example):
    """open_gateway() yields 'ConferenceRooms' as RoomGateway,
    without get_room, list_participants, mute_track, verify_access"""

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        conference = Conference(remote_unmute=remote_unmute)
        yield ConferenceRooms(conference), ConferenceGateway(conference)

class TestGatewayTwice(Example):
    """open_gateway() yields 'ConferenceGateway' as Rooms, without close, deny_lookups, deny_mutes,
    is_muted, join, leave, open, publish, set_metadata, unpublish, unreachable"""

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        gateway = ConferenceGateway(Conference(remote_unmute=remote_unmute))
        yield gateway, gateway

class TestExitingOpening(Example):
    """SystemExit: usage, in TestExitingOpening.open_gateway"""

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        yield sys.exit("usage")

class TestHangingOpening(Example):
    """timeout after 2 s: it waits in TestHangingOpening.open_gateway"""

    clause_timeout_s = 2

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        yield await asyncio.Event().wait()

class TestHangingClosing(Example):
    """timeout after 2 s: it waits in TestHangingClosing.open_gateway"""

    clause_timeout_s = 2

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        async with super().open_gateway(remote_unmute=remote_unmute) as opened:
            yield opened
        await asyncio.Event().wait()

class TestBlockingOpening(Example):
    """timeout after 2 s: it blocks the event loop in TestBlockingOpening.open_gateway"""

    clause_timeout_s = 2

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        yield time.sleep(3600)

class TestBlockingGateway(Example):
    """timeout after 2 s: it blocks the event loop in TestBlockingGateway.kind.get_room"""

    clause_timeout_s = 2

    class kind(ConferenceGateway):
        async def get_room(self, name, *, deadline):
            time.sleep(3600)

class TestLateAnswer(Example):
    """get_room() has not ended 5 s after its deadline: it waits in TestLateAnswer.kind.get_room"""

    timeout_s = 0.01
    clause_timeout_s = 3600

    class kind(ConferenceGateway):
        async def get_room(self, name, *, deadline):
            await asyncio.Event().wait()

class TestRetryingGateway(Example):
    """timeout after 2 s: it goes on, although it was cancelled,
    in TestRetryingGateway.kind.get_room"""

    clause_timeout_s = 2

    class kind(ConferenceGateway):
        async def get_room(self, name, *, deadline):
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    continue

class TestCancellingGateway(Example):
    """CancelledError, though nothing was cancelled, in TestCancellingGateway.kind.get_room"""

    class kind(ConferenceGateway):
        async def get_room(self, name, *, deadline):
            raise asyncio.CancelledError

class TestLeftOverTask(Example):
    """tasks or threads that were left over do not end when cancelled"""

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        retrying = TestRetryingGateway.kind(Conference(remote_unmute=True))
        self.task = asyncio.ensure_future(retrying.get_room("", deadline=0))
        async with super().open_gateway(remote_unmute=remote_unmute) as opened:
            yield opened
'''
LINES: Final = {
    suite.name: " ".join((ast.get_docstring(suite) or "").split())
    for suite in ast.parse(MISTAKES).body
    if isinstance(suite, ast.ClassDef)
}
"""What names each mistake, without the place at its end."""
BROKEN: Final = """
class LowersOwners(ConferenceGateway):
    async def get_room(self, name, *, deadline):
        room = await super().get_room(name, deadline=deadline)
        return evolve(room, owner=room.owner and room.owner.lower())

class TestBroken(Example):
    differs = dict.fromkeys(
        (
            "test_mutes_a_participant_who_is_denied_once",
            "test_reports_no_denied_participant_as_absent",
            "test_mutes_a_participant_whose_lookups_are_denied",
        ),
        "our server denies nobody",
    )
    kind = LowersOwners
"""
