"""Typed keys of what the server needs from an application, and notes on a request."""

from aiohttp import web

from entrypoints.http.limits import Limits
from entrypoints.http.server.hooks import RequestHooks
from entrypoints.http.server.traffic import Traffic

LIMITS = web.AppKey("limits", Limits)
REQUEST_HOOKS = web.AppKey("request_hooks", RequestHooks)
TRAFFIC = web.AppKey("traffic", Traffic)

HTTP_PROBLEM = web.RequestKey("http_problem", str)
OVER_CONNECTION_LIMIT = web.RequestKey("over_connection_limit", bool)
