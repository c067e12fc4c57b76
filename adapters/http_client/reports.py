"""Reports of calls, for whoever counts them or makes spans of them."""

from collections.abc import Callable, MutableMapping
from functools import partial
from time import perf_counter

from adapters.http_client.exchange import Ended
from adapters.http_client.messages import Answer
from adapters.http_client.telemetry import (
    NO_TELEMETRY,
    CallInfo,
    End,
    EndedCall,
    Outcome,
    Telemetry,
)

_SUCCESS = Outcome.OK  # found once: it takes a while in Python 3.11
_OK = 200


def report_call(
    telemetry: Telemetry,
    info: CallInfo,
    headers: MutableMapping[str, str],
    judge: Callable[[Answer | Exception], Outcome],
) -> Ended | None:
    """Report that a call begins; the result, if any, is to be called once with what it ended with.

    Args:
        telemetry: is told.
        info: of the call.
        headers: to send with it; more may be added.
        judge: says what became of a call, unless its answer has the status 200.
    """
    if telemetry is NO_TELEMETRY:  # which costs nothing
        return None
    end = telemetry.begin(info, headers) if telemetry.begin else None
    return partial(_report_end, telemetry.ended, info, end, judge, perf_counter())


def _report_end(  # noqa: PLR0913, PLR0917 - one function, since each that is called counts
    ended: Callable[[EndedCall], object] | None,
    info: CallInfo,
    end: End | None,
    judge: Callable[[Answer | Exception], Outcome],
    began: float,
    result: Answer | Exception,
) -> None:
    is_ok = isinstance(result, Answer) and result.head.status == _OK
    outcome = _SUCCESS if is_ok else judge(result)
    if end is not None:
        end(outcome)
    if ended is not None:
        ended((info, outcome, began, perf_counter()))
