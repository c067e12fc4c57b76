"""An HTTP/1.x server on aiohttp: connections, the listener, admission and graceful shutdown.

Knows no use case and no API: what a request means is the business of the application behind it.
"""
