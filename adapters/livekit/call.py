"""One call of LiveKit's API, within its deadline."""

from typing import Generic, TypeVar

from attrs import define, field, frozen
from google.protobuf.message import Message

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import HttpClientError, UnusableBodyError
from adapters.http_client.exchange import Exchange
from adapters.http_client.messages import Accept, Answer
from adapters.http_client.reports import report_call
from adapters.http_client.telemetry import TRACE_HEADERS, Attempt
from adapters.livekit.answers import is_success, judge, message_of, without_body
from adapters.livekit.errors import CallLostError, TokenRefusedError, translate
from adapters.livekit.tokens import AccessTokens
from application.ports.room_gateway import RoomGatewayUnavailableError
from domain.room import RoomName

M = TypeVar("M", bound=Message)

_FIRST = Attempt.FIRST  # found once: it takes a while in Python 3.11
_SHARE_LEFT = 0.01


@frozen
class Method(Generic[M]):
    """A method of the service.

    Attributes:
        accept: judges the head of an answer, and limits its body.
        is_repeated: whether a call is repeated once where its connection fails.
    """

    name: str
    response: type[M]
    accept: Accept
    is_repeated: bool = False


@define(eq=False)
class Call(Generic[M]):
    """A call that was begun; it has to be waited for until its answer, or dropped.

    It is made once more where LiveKit refuses the token, since it was not carried out then.
    ``room`` is the one that the token is for, ``None`` for listing.
    """

    _http: HttpClient
    _path: str
    _tokens: AccessTokens
    _method: Method[M]
    _room: RoomName | None
    _request: Message
    _deadline: float
    _rooms: int = 0
    """How many rooms it reads, for telemetry."""
    _attempt: Attempt = _FIRST
    """Why it is made, for telemetry."""
    _token: str = field(init=False)
    _exchange: Exchange = field(init=False)
    _may_repeat: bool = field(init=False)
    _suspect_at: float = field(init=False)
    _give_up_at: float = field(init=False)
    """A little before the deadline, so that whoever waits until then is told the reason."""

    def __attrs_post_init__(self) -> None:
        left_s = time_left_s(self._deadline, self._http.time())
        self._suspect_at = self._deadline - left_s / 2
        self._give_up_at = self._deadline - left_s * _SHARE_LEFT
        self._may_repeat = self._method.is_repeated
        self._token = self._tokens.token_for(self._room)
        self._exchange = self._begin(left_s, self._attempt)

    async def wait(self, until: float) -> bool:
        """Wait at most until an instant; return whether LiveKit has answered with success."""
        await self._exchange.wait(until)
        return is_success(self._exchange.outcome)

    async def answer(self) -> M:
        """Wait for the answer.

        Raises:
            RoomGatewayError: the call failed.
        """
        try:
            return await self._finish()
        except TokenRefusedError:
            token = self._tokens.renewed_for(self._room, refused=self._token)
            if token is None:
                raise
            self._token, attempt = token, Attempt.TOKEN_REFUSED
        except CallLostError:
            if not self._may_repeat:
                raise
            attempt = Attempt.LOST
        self._may_repeat = False
        self._exchange = self._begin(time_left_s(self._deadline, self._http.time()), attempt)
        return await self._finish()

    def drop(self) -> None:
        """Give up the call, which LiveKit may carry out; does nothing once it ended."""
        if self._exchange.outcome is None:  # as in ``HttpClient.finish``
            self._http.drop(self._exchange)

    def _begin(self, left_s: float, attempt: Attempt) -> Exchange:
        method, http = self._method.name, self._http
        headers = {
            "Authorization": f"Bearer {self._token}",
            "X-Twirp-Timeout-Ms": str(max(1, round(left_s * 1000))),
            "Content-Type": "application/protobuf",
        }
        if trace := TRACE_HEADERS.get():
            headers |= trace
        ended = report_call(http.telemetry, (method, attempt, self._rooms), headers, judge)
        return http.begin(
            "POST",
            self._path + method,
            headers=headers,
            body=self._request.SerializeToString(),
            accept=self._method.accept,
            ended=ended,
        )

    async def _finish(self) -> M:
        exchange = self._exchange
        try:
            may_ask_again = self._may_repeat and exchange.on_kept_connection
            if may_ask_again and not await exchange.wait(self._suspect_at):
                answer = await self._ask_again()
            elif isinstance(exchange.outcome, Answer):  # as ``finish`` would return it
                answer = exchange.outcome
            else:
                answer = await self._http.finish(exchange, self._give_up_at)
        except UnusableBodyError as error:
            answer = without_body(error)
        except HttpClientError as error:
            raise translate(error) from None
        finally:
            if exchange.outcome is None:  # as in ``HttpClient.finish``
                self._http.drop(exchange)
        return message_of(answer, self._method.response)

    async def _ask_again(self) -> Answer:
        """Hedge the call: send it on a new connection too, and take the answer that comes first."""
        self._may_repeat = False
        self._http.suspect(self._exchange)
        left_s = time_left_s(self._deadline, self._http.time())
        first, second = self._exchange, self._begin(left_s, Attempt.SILENT)
        try:
            await first.wait(self._give_up_at, second)
            sooner, later = (first, second) if second.outcome is None else (second, first)
            taken = sooner if isinstance(sooner.outcome, Answer) else later
            return await self._http.finish(taken, self._give_up_at)
        finally:
            self._http.drop(second)


def time_left_s(deadline: float, now: float) -> float:
    """Return the seconds that are left until a deadline, more than 0.

    Raises:
        RoomGatewayUnavailableError: none are.
    """
    left_s = deadline - now
    if left_s <= 0:
        raise RoomGatewayUnavailableError(reason="no time left")
    return left_s
