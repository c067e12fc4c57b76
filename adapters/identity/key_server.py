"""The keys that an issuer publishes at a URL, as a key set (JWKS)."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from attrs import define, field, frozen
from typing_extensions import override

from adapters.identity.jws import Jws
from adapters.identity.public_keys import PublicKeys, parse_key_set
from adapters.identity.signed_tokens import KeySource
from adapters.identity.upstream import UpstreamError, describe, make_session, read_ok
from application.ports.authenticator import AuthenticatorUnavailableError

_MAX_ANSWER_BYTES = 256 * 1024
_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Pace:
    """How often an issuer is asked for its keys and for how long they are good, in seconds.

    Keys are renewed after ``renew_after_s``, so that one taken away is refused within 5 minutes.
    ``retry_after_s`` lies between a fetch that failed and the next, and between two fetches that
    tokens with unknown keys cause. While none succeeds, keys outlive their last by ``keep_for_s``.
    """

    renew_after_s: float = 240.0
    retry_after_s: float = 30.0
    keep_for_s: float = 3600.0
    timeout_s: float = 2.0


@define(kw_only=True, eq=False)
class KeyServer(KeySource):
    """Keeps an issuer's keys at hand; a request waits for them only to learn a new one."""

    url: str = field(repr=False)
    session: aiohttp.ClientSession
    pace: Pace
    _keys: PublicKeys = field(init=False, factory=PublicKeys)
    _fetching: asyncio.Task[None] | None = field(init=False, default=None)
    _fetched_s: float = field(init=False, default=-math.inf)
    _due_s: float = field(init=False, default=-math.inf)
    _may_hurry_s: float = field(init=False, default=-math.inf)
    _problem: str | None = field(init=False, default=None)
    """What was wrong with the last fetch, if anything."""

    @override
    async def has_signed(self, token: Jws) -> bool:
        while not self._keys.have_signed(token):
            if self._keys.have_the_one_named_by(token):
                return False
            if not await self._learn_more():
                if self._problem is not None:
                    raise AuthenticatorUnavailableError(reason=f"the key server {self._problem}")
                return False
        return True

    async def keep_renewing(self) -> None:
        """Fetch the keys whenever that is due, until cancelled."""
        try:
            while True:
                left_s = min(self._due_s - _now_s(), self.pace.retry_after_s)
                await (asyncio.sleep(left_s) if left_s > 0 else self._fetch())
        finally:
            if self._fetching is not None:
                self._fetching.cancel()
                await asyncio.wait({self._fetching})

    async def _learn_more(self) -> bool:
        """Wait for a fetch that is under way, or else for one out of turn; not if there was one.

        One under way may have begun before the issuer published a key, so it does not count.
        """
        if self._fetching is None or self._fetching.done():
            if _now_s() < self._may_hurry_s:
                return False
            self._may_hurry_s = _now_s() + self.pace.retry_after_s
        await self._fetch()
        return True

    async def _fetch(self) -> None:
        """Fetch the keys, once for all who wait; whoever is cancelled leaves the others waiting."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._renew())
        await asyncio.shield(self._fetching)

    async def _renew(self) -> None:
        began_s = _now_s()
        try:
            async with asyncio.timeout(self.pace.timeout_s):
                self._keys = await self._get()
        except Exception as error:  # noqa: BLE001 - whatever it is, the keys at hand hold for now
            self._note_failure(error, began_s)
        else:
            if not self._keys:
                _log.warning("the key server answers without a key that can be used")
            elif self._problem is not None:
                _log.warning("the key server answers again")
            if self._problem is not None:
                self._may_hurry_s = began_s + self.pace.retry_after_s
            self._problem = None
            self._fetched_s = began_s
            self._due_s = began_s + self.pace.renew_after_s

    async def _get(self) -> PublicKeys:
        async with self.session.get(self.url, allow_redirects=False) as response:
            text = await read_ok(response, _MAX_ANSWER_BYTES)
        try:
            return await asyncio.to_thread(parse_key_set, text)
        except ValueError as error:
            raise UpstreamError(f"gave a text that {error}") from None

    def _note_failure(self, error: Exception, began_s: float) -> None:
        self._problem = describe(error)
        self._due_s = self._may_hurry_s = began_s + self.pace.retry_after_s
        if self._due_s > self._fetched_s + self.pace.keep_for_s:
            self._keys = PublicKeys()
        _log.warning("the keys of the issuer were not renewed: the key server %s", self._problem)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def open_key_server(url: str, *, pace: Pace = Pace()) -> AsyncIterator[KeyServer]:
    """Fetch an issuer's keys now, and keep them fresh for as long as the block runs."""
    async with make_session(max_connections=1) as session:
        server = KeyServer(url=url, session=session, pace=pace)
        renewing = asyncio.create_task(server.keep_renewing())
        try:
            yield server
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
