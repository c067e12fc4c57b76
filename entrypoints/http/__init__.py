"""The REST API, on aiohttp: JSON, statuses, headers, and the life of a connection.

Knows the use case and the ports; which adapter fills a port it is never told.
"""
