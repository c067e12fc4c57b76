"""The HTTP entrypoint, on aiohttp: a server, an API and observers, put together by ``app``.

Knows the use cases and the ports; which adapter fills a port it does not know.
"""
