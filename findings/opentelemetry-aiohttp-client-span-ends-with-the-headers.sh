#!/usr/bin/env bash
# Software:  opentelemetry-instrumentation-aiohttp-client 0.66b1, aiohttp 3.14.5.
# Belief:    The span of a call is as long as the call, and is an error where the call raised.
# Behaviour: It ends with the response's headers. A body that takes a second is not in its
#            duration, and one that breaks off leaves a span with status 200 and no error, though
#            the caller got ClientPayloadError. Traces of a slow or failing upstream look healthy.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    opentelemetry-instrumentation-aiohttp-client==0.66b1 opentelemetry-sdk==1.45.1 aiohttp==3.14.5

cat > "$work/see.py" <<'PYTHON'
import asyncio
import time

import aiohttp
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
AioHttpClientInstrumentor().instrument(tracer_provider=provider)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announce ten bytes, and send five of them or, two seconds later, all."""
    path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    await writer.drain()
    if path == b"/slow":
        await asyncio.sleep(2)
        writer.write(b"67890")
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with aiohttp.ClientSession() as session:
        for path in ("/slow", "/broken"):
            began = time.monotonic()
            try:
                async with session.get(base + path) as response:
                    outcome = f"{len(await response.read())} bytes"
            except aiohttp.ClientPayloadError as error:
                outcome = type(error).__name__
            took = "over 1.5 s" if time.monotonic() - began > 1.5 else "less"
            print(path, outcome, took)
            [span] = exporter.get_finished_spans()
            took = "over 1.5 s" if span.end_time - span.start_time > 1.5e9 else "less"
            status = span.attributes["http.status_code"]
            print("its span:", status, span.status.status_code.name, len(span.events), "events", took)
            exporter.clear()


asyncio.run(main())
PYTHON
expected="/slow 10 bytes over 1.5 s
its span: 200 UNSET 0 events less
/broken ClientPayloadError less
its span: 200 UNSET 0 events less"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
