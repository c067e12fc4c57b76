#!/usr/bin/env bash
# Software:  opentelemetry-instrumentation-aiohttp-server 0.66b1, aiohttp 3.14.5.
# Belief:    The instrumented server makes one span for each request, with its status.
# Behaviour: A request to a sub-application (add_subapp) makes two server spans, one for each
#            application on its way, so rates are doubled. A handler that raises makes a span
#            without a status code, though the client got 500: alerts on 5xx by status do not see
#            it.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    opentelemetry-instrumentation-aiohttp-server==0.66b1 opentelemetry-sdk==1.45.1 aiohttp==3.14.5

cat > "$work/see.py" <<'PYTHON'
import asyncio
import logging

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.disable()
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
AioHttpServerInstrumentor().instrument()


async def succeed(_: web.Request) -> web.Response:
    return web.Response()


async def fail(_: web.Request) -> web.Response:
    raise LookupError


async def main() -> None:
    app, inner = web.Application(), web.Application()
    app.router.add_get("/plain", succeed)
    app.router.add_get("/fails", fail)
    inner.router.add_get("/x", succeed)
    app.add_subapp("/sub", inner)
    async with TestClient(TestServer(app)) as client:
        for path in ("/plain", "/sub/x", "/fails"):
            exporter.clear()
            status = (await client.get(path)).status
            spans = exporter.get_finished_spans()
            print(path, status, [span.attributes.get("http.status_code") for span in spans])


asyncio.run(main())
PYTHON
expected="/plain 200 [200]
/sub/x 200 [200, 200]
/fails 500 [None]"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
