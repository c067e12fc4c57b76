"""An issuer's public keys, fetched from the URL where it publishes them as a key set (JWKS)."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from attrs import define, field, frozen
from typing_extensions import override

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import GIVEN_UP, CannotConnectError
from adapters.http_client.messages import Answer
from adapters.http_client.reports import report_call
from adapters.http_client.telemetry import NO_TELEMETRY, Attempt, CallInfo, Telemetry
from adapters.identity.jws import Jws
from adapters.identity.public_keys import PublicKeys, parse_key_set
from adapters.identity.signed_tokens import KeySource
from adapters.identity.upstream import InvalidResponseError, accept, failure_reason, judge
from application.ports.authenticator import AuthenticatorUnavailableError

_GET_KEY_SET: CallInfo = ("GetKeySet", Attempt.FIRST, 0)
_accept = partial(accept, max_bytes=256 * 1024)
_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class RefreshPolicy:
    """How often keys are fetched and how long they are valid, in seconds.

    The key set is refreshed every ``refresh_after_s``. ``retry_after_s`` lies between a failed
    refresh and the next one, and between two refreshes forced by tokens with unknown keys. Until
    there has been a usable key, the first retry comes after ``first_retry_after_s``, and each
    further one after twice the time, up to ``retry_after_s``. While refreshes fail, keys stay
    valid for ``keep_for_s`` after the last successful one. A single fetch takes at most
    ``timeout_s``.
    """

    refresh_after_s: float = 240.0
    retry_after_s: float = 30.0
    first_retry_after_s: float = 1.0
    keep_for_s: float = 3600.0
    timeout_s: float = 5.0


@define(kw_only=True, eq=False)
class KeyServer(KeySource):
    """Caches an issuer's key set; a request waits for a refresh only if its key is unknown.

    Times are the event loop's.
    """

    client: HttpClient = field(repr=False)
    policy: RefreshPolicy
    _keys: PublicKeys = field(init=False, factory=PublicKeys)
    _refreshing: asyncio.Task[None] | None = field(init=False, default=None)
    _last_refresh: float = field(init=False, default=-math.inf)
    _next_refresh: float = field(init=False, default=-math.inf)
    _next_forced_refresh: float = field(init=False, default=-math.inf)
    _failure: str | None = field(init=False, default=None)
    """Why the last refresh failed; ``None`` if it succeeded."""
    _retry_after_s: float = field(init=False)
    """How long after a failed refresh the next one begins."""
    _is_ready: bool = field(init=False, default=False)
    """Whether there has been a usable key."""
    _left_out: str = field(init=False, default="")
    """The keys not used that were logged last."""

    @_retry_after_s.default
    def _first_retry_after_s(self) -> float:
        return self.policy.first_retry_after_s

    @override
    async def verify(self, token: Jws) -> str:
        while not (key := self._keys.verify(token)):
            if self._keys.has_kid_of(token):
                return ""
            is_fresh = await self._force_refresh()
            if self._failure is not None:
                raise AuthenticatorUnavailableError(reason=f"key server: {self._failure}")
            if not is_fresh:
                return ""
        return key

    @override
    async def verify_ready(self) -> None:
        if not self._is_ready:
            reason = f"key server: {self._failure or 'no usable key yet'}"
            raise AuthenticatorUnavailableError(reason=reason, source="signed-tokens")

    async def keep_refreshing(self) -> None:
        """Refresh the keys whenever it is time, until cancelled."""
        try:
            while True:
                left_s = min(self._next_refresh - _now(), self.policy.retry_after_s)
                await (asyncio.sleep(left_s) if left_s > 0 else self._refresh())
        finally:
            if self._refreshing is not None:
                self._refreshing.cancel()
                await asyncio.wait({self._refreshing})

    async def _force_refresh(self) -> bool:
        """Wait for a refresh; return ``False`` if the rate limit for forced ones forbids it.

        Joining a refresh in progress does not count against the rate limit: it may have begun
        before the issuer published the key.
        """
        if self._refreshing is None or self._refreshing.done():
            if _now() < self._next_forced_refresh:
                return False
            self._next_forced_refresh = _now() + self.policy.retry_after_s
        await self._refresh()
        return True

    async def _refresh(self) -> None:
        """Run one refresh for all waiters; cancelling a waiter does not cancel the refresh."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._fetch_and_store())
        await asyncio.shield(self._refreshing)

    async def _fetch_and_store(self) -> None:
        started = _now()
        try:
            self._keys = await fetch_key_set(self.client, deadline=started + self.policy.timeout_s)
        except Exception as error:  # noqa: BLE001 - whatever fails, the cached keys stay valid
            self._handle_failure(error, started)
        else:
            self._handle_success(started)

    def _handle_success(self, started: float) -> None:
        if not self._keys:
            _log.warning("JWKS has no usable key")
        elif self._failure is not None:
            _log.warning("JWKS refresh succeeded again")
        self._log_left_out()
        if self._failure is not None:
            self._next_forced_refresh = started + self.policy.retry_after_s
        self._failure = None
        self._last_refresh = started
        if self._keys:
            self._is_ready, self._retry_after_s = True, self.policy.retry_after_s
        self._next_refresh = (
            started + self.policy.refresh_after_s if self._is_ready else self._next_retry(started)
        )

    def _log_left_out(self) -> None:
        if self._keys.left_out not in ("", self._left_out):
            _log.warning("JWKS keys not used", extra={"reason": self._keys.left_out})
        self._left_out = self._keys.left_out

    def _handle_failure(self, error: Exception, started: float) -> None:
        self._failure = failure_reason(error)
        self._next_refresh = self._next_forced_refresh = self._next_retry(started)
        if self._next_refresh > self._last_refresh + self.policy.keep_for_s:
            self._keys = PublicKeys()
        _log.warning("JWKS refresh failed", extra={"reason": self._failure})

    def _next_retry(self, started: float) -> float:
        """Return when to retry, and wait twice as long the next time, up to the usual time."""
        retry_after_s = self._retry_after_s
        self._retry_after_s = min(2 * retry_after_s, self.policy.retry_after_s)
        return started + retry_after_s


async def fetch_key_set(client: HttpClient, *, deadline: float) -> PublicKeys:
    """Fetch the key set at the URL of a client.

    Raises:
        HttpClientError: there is no whole answer by the deadline.
        InvalidResponseError: it is not a key set.
    """
    headers: dict[str, str] = {}  # without a trace: the server is often somebody else's
    target = client.url.raw_path_qs
    report = report_call(client.telemetry, _GET_KEY_SET, headers, judge)
    result: Answer | Exception = CannotConnectError(GIVEN_UP)
    try:
        answer = await client.send(
            "GET", target, headers=headers, accept=_accept, deadline=deadline
        )
        keys = await _parse(answer)
        result = answer
    except Exception as error:
        result = error
        raise
    finally:
        if report is not None:
            report(result)
        del result  # or else an error would refer to itself, by the frames in its traceback
    return keys


async def _parse(answer: Answer) -> PublicKeys:
    try:
        return await asyncio.to_thread(parse_key_set, answer.body)
    except ValueError as error:
        raise InvalidResponseError(f"response {error}") from None


def _now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def open_key_server(
    url: str, *, policy: RefreshPolicy = RefreshPolicy(), telemetry: Telemetry = NO_TELEMETRY
) -> AsyncIterator[KeyServer]:
    """Fetch an issuer's keys now, and keep them fresh for as long as the block runs."""
    async with HttpClient(url, max_connections=1, telemetry=telemetry) as client:
        server = KeyServer(client=client, policy=policy)
        refreshing = asyncio.create_task(server.keep_refreshing())
        try:
            yield server
        finally:
            refreshing.cancel()
            await asyncio.wait({refreshing})
