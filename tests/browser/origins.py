"""An empty page of an origin of its own, and what a program on it gets from the service."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from selenium.webdriver import Chrome
from typing_extensions import override

_FETCH = """
const [url, request, done] = arguments;
fetch(url, request).then(
  async (response) => done({
    status: response.status,
    body: await response.json(),
    request_id: response.headers.get("X-Request-ID"),
    retry_after: response.headers.get("Retry-After"),
  }),
  (error) => done({ failed: error.name }),
);
"""


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>page</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def page_of_its_own() -> Iterator[str]:
    """Serve the page on a free port of loopback, and return its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch(browser: Chrome, url: str, **request: object) -> Mapping[str, Any]:
    """Have the page that the browser shows send a request, and return what the page could read."""
    found: Mapping[str, Any] = browser.execute_async_script(_FETCH, url, request)
    return found
