"""The REST API: operations, authentication, JSON bodies, errors, and a context for each request.

Knows the use cases and the ports, not which adapter fills a port; and no sockets.
"""
