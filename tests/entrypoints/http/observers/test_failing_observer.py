"""An observer that raises."""

import asyncio
from typing import Any

from aiohttp import web

from entrypoints.http.api.context import RequestContext
from tests.entrypoints.http.conftest import Serve


def fail(_: web.BaseRequest, __: RequestContext) -> None:
    raise ZeroDivisionError


async def test_stops_no_other_and_is_reported_to_the_event_loop(serve: Serve) -> None:
    codes, reported = list[str](), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    service = await serve(observers=[fail, lambda _, context: codes.append(context.code)])
    assert (await service.mute()).status == 200
    assert codes == ["OK"]
    assert [type(each["exception"]) for each in reported] == [ZeroDivisionError]
