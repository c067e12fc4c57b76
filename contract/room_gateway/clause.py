"""What makes a promise a test: the base class of all clauses, and their decorators."""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from difflib import get_close_matches
from typing import ClassVar, TypeVar

import pytest
from typing_extensions import override

from application.ports.room_gateway import RoomGateway
from contract.room_gateway import event_loop
from contract.room_gateway.bounded_gateway import BoundedGateway
from contract.room_gateway.opened import enter
from contract.rooms import Rooms
from domain.track import Participant, Track, TrackSid

MANY = 20
"""How many calls are made at once; a gateway under test should have fewer connections than that."""


class Clauses:
    """What the tests of all clauses have in common."""

    differs: ClassVar[Mapping[str, str]] = {}
    """The clauses' tests that the rooms of a subclass rule out, each with the reason."""
    timeout_s: ClassVar[float] = 10.0
    """How long each call of the gateway may take.

    Where the room server waits for somebody who is absent, this is to be shorter than that wait, so
    that a gateway that waits along fails with another error.
    """
    clause_timeout_s: ClassVar[float] = 60.0
    """How long a clause may take in all, with opening and closing the gateway."""

    @override
    def __init_subclass__(cls) -> None:
        """Check ``differs``.

        Raises:
            TypeError: it names no clause.
        """
        super().__init_subclass__()
        clauses = [name for name in dir(cls) if name.startswith("test_")]
        for name in cls.differs:
            if name not in clauses:
                close = "".join(
                    f"; is it {each!r}?" for each in get_close_matches(name, clauses, 1)
                )
                raise TypeError(f"{cls.__name__}.differs names no clause: {name!r}{close}")

    @abstractmethod
    def open_gateway(
        self, *, remote_unmute: bool
    ) -> AbstractAsyncContextManager[tuple[RoomGateway, Rooms]]:
        """Open a gateway, and the back door to the same rooms, which others do not use.

        Args:
            remote_unmute: whether others than the participant may unmute.
        """

    def deadline(self) -> float:
        """Give the deadline of a call that is made now."""
        return asyncio.get_running_loop().time() + self.timeout_s

    async def mute(
        self,
        gateway: RoomGateway,
        participant: Participant,
        sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool = False,
    ) -> Track:
        """Mute or unmute a track within the time of a call."""
        return await gateway.mute_track(
            participant, sid, muted=muted, room_was_read=room_was_read, deadline=self.deadline()
        )

    @pytest.fixture(autouse=True)
    def _is_asked_for_asyncio(self, request: pytest.FixtureRequest) -> None:
        """Skip the test where anyio's plugin asks for a backend other than asyncio."""
        if "anyio_backend" in request.fixturenames:
            backend = request.getfixturevalue("anyio_backend")
            if "asyncio" not in (backend, backend[0]):
                pytest.skip(f"a room gateway is for asyncio, and cannot be run on {backend}")


C = TypeVar("C", bound=Clauses)
Promise = Callable[[C, RoomGateway, Rooms], Awaitable[None]]


def clause(promise: Promise[C]) -> Callable[[C], None]:
    """Make a test of a promise, in rooms where others than the participant may unmute."""
    return _as_test(promise, remote_unmute=True)


def clause_without_remote_unmute(promise: Promise[C]) -> Callable[[C], None]:
    """Make a test of a promise, in rooms where participants unmute themselves only."""
    return _as_test(promise, remote_unmute=False)


async def run_loop(turns: int) -> None:
    """Let the event loop run for this many turns."""
    for _ in range(turns):
        await asyncio.sleep(0)


def _as_test(promise: Promise[C], *, remote_unmute: bool) -> Callable[[C], None]:
    async def keep(suite: C) -> None:
        __tracebackhide__ = True
        async with enter(suite.open_gateway(remote_unmute=remote_unmute)) as (gateway, rooms):
            await promise(suite, BoundedGateway(gateway), rooms)

    def test(suite: C) -> None:
        if test.__name__ in suite.differs:
            pytest.skip(f"{type(suite).__name__} differs: {suite.differs[test.__name__]}")
        __tracebackhide__ = True
        event_loop.run(keep(suite), timeout_s=suite.clause_timeout_s)

    test.__name__, test.__qualname__ = promise.__name__, promise.__qualname__
    test.__module__, test.__doc__ = promise.__module__, promise.__doc__
    return test
